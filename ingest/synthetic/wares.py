"""What is sold: categories in the form of the source (Portuguese and English), and what their products are like."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ware:
    """A category: how much of the catalogue it is, the usual price in cents and the usual weight in grams."""

    category: str
    english: str | None
    weight: float
    price: int
    grams: int


WARES = (
    Ware("banho_e_enxoval", "bath_and_linen", 92, 7990, 1200),
    Ware("cosmeticos_e_cuidados", "cosmetics_and_care", 74, 7490, 350),
    Ware("esportes_ao_ar_livre", "outdoor_sports", 87, 7890, 700),
    Ware("moveis_e_objetos_de_decoracao", "furniture_and_ornaments", 81, 6590, 1900),
    Ware("perifericos_de_informatica", "computer_peripherals", 50, 8290, 400),
    Ware("utensilios_do_lar", "household_utensils", 71, 5990, 1100),
    Ware("relogios_e_joias", "watches_and_jewels", 40, 12490, 300),
    Ware("acessorios_de_telefone", "phone_accessories", 34, 2990, 200),
    Ware("acessorios_automotivos", "car_accessories", 58, 8990, 1100),
    Ware("brinquedos_e_jogos", "toys_and_games", 43, 7990, 900),
    Ware("aromas_e_perfumes", "scents_and_perfumes", 26, 8990, 300),
    Ware("artigos_para_bebe", "baby_articles", 28, 8990, 1500),
    Ware("jardinagem", "gardening", 23, 5990, 1300),
    Ware("escritorio_e_papel", "office_and_paper", 26, 5690, 700),
    Ware("bolsas_e_mochilas", "bags_and_backpacks", 26, 4990, 450),
    Ware("animais_de_estimacao", "pets", 22, 6990, 1600),
    Ware("aparelhos_eletronicos", "electronic_devices", 16, 3990, 500),
    Ware("presentes_criativos", "creative_gifts", 24, 9890, 600),
    Ware("malas_de_viagem", "travel_luggage", 11, 11990, 3200),
    Ware("jogos_de_console", "console_games", 10, 8490, 250),
    Ware("calcados", "footwear", 6, 7990, 800),
    Ware("pequenos_eletricos", "small_electricals", 7, 17990, 2600),
    Ware("ferramentas_de_obra", "building_tools", 13, 9990, 1800),
    Ware("luminarias_e_lampadas", "lamps_and_bulbs", 3, 8990, 1400),
    Ware("seguranca_da_casa", "home_security", 3, 15990, 1200),
    Ware("instrumentos_de_musica", "instruments_of_music", 9, 16490, 2100),
    Ware("livros_de_interesse_comum", "general_books", 7, 6490, 600),
    Ware("livros_para_estudo", "study_books", 4, 8490, 800),
    Ware("livros_estrangeiros", "foreign_books", 1, 6990, 500),
    Ware("comidas", "groceries", 3, 3990, 900),
    Ware("bebidas_e_vinhos", "drinks_and_wines", 3, 4490, 2300),
    Ware("cozinha_gourmet", "gourmet_kitchen", 2, 7990, 1700),
    Ware("moveis_de_sala", "living_room_furniture", 5, 13990, 7800),
    Ware("moveis_de_quarto", "bedroom_furniture", 2, 18990, 9100),
    Ware("moveis_de_escritorio", "furniture_for_offices", 9, 15990, 9600),
    Ware("moveis_de_cozinha", "kitchen_furniture", 3, 13990, 8900),
    Ware("colchoes_e_estofados", "mattresses_and_upholstery", 1, 10990, 8200),
    Ware("computadores_completos", "complete_computers", 1, 109900, 5400),
    Ware("impressoras_e_tablets", "printers_and_tablets", 1, 8690, 900),
    Ware("fotografia_e_video", "photography_and_video", 1, 9890, 700),
    Ware("telefones_de_mesa", "desk_telephones", 4, 6990, 500),
    Ware("climatizadores", "climate_control", 4, 15990, 4700),
    Ware("eletrodomesticos_grandes", "large_home_appliances", 12, 18990, 5300),
    Ware("eletrodomesticos_diversos", "assorted_home_appliances", 3, 28990, 9800),
    Ware("construcao_civil", "civil_construction", 8, 11990, 2900),
    Ware("conforto_do_lar", "comfort_at_home", 4, 11490, 2000),
    Ware("conforto_do_lar_2", "comfort_at_home_2", 1, 3990, 1100),
    Ware("lavanderia", "laundry_room", 2, 6290, 1500),
    Ware("cafe_e_forno", "coffee_and_oven", 2, 39990, 6200),
    Ware("som_e_fones", "sound_and_headphones", 3, 7990, 400),
    Ware("discos_e_filmes", "records_and_films", 1, 4490, 200),
    Ware("filmes_em_alta_definicao", "high_definition_films", 1, 3990, 200),
    Ware("musica_e_partituras", "music_and_scores", 1, 5990, 300),
    Ware("arte_e_quadros", "art_and_paintings", 2, 6990, 1300),
    Ware("artesanato", "handicraft", 1, 4990, 500),
    Ware("flores_e_plantas", "flowers_and_plants", 1, 2990, 900),
    Ware("festas_e_baloes", "parties_and_balloons", 1, 3490, 400),
    Ware("enfeites_natalinos", "christmas_ornaments", 2, 4990, 800),
    Ware("higiene_e_fraldas", "hygiene_and_diapers", 1, 3990, 1100),
    Ware("roupas_masculinas", "clothes_for_men", 3, 6990, 350),
    Ware("roupas_femininas", "clothes_for_women", 1, 5990, 300),
    Ware("roupas_infantis", "clothes_for_children", 1, 5490, 250),
    Ware("moda_praia", "beachwear", 2, 5990, 250),
    Ware("moda_esportiva", "sportswear", 1, 6490, 300),
    Ware("sinalizacao", "signage", 3, 7990, 900),
    Ware("industria_e_oficina", "industry_and_workshop", 2, 9990, 2700),
    Ware("agropecuaria", "farming", 2, 12990, 3900),
    Ware("ofertas_variadas", "assorted_offers", 3, 6990, 900),
    Ware("servicos_e_garantias", "services_and_warranties", 0.5, 14990, 300),
    Ware("suplementos_alimentares", "food_supplements", 2, 8990, 700),
    Ware("papelaria_artistica", "artistic_stationery", 2, 4990, 600),
    # The source translates all of its categories but these two.
    Ware("pc_gamer", None, 0.3, 16990, 2100),
    Ware("portateis_cozinha_e_preparadores_de_alimentos", None, 0.4, 21990, 3100),
)
