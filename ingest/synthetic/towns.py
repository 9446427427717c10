"""Where people and sellers live: towns of Brazil, their rough place, and ranges of zip prefixes to hand out.

The ranges are wider than the towns themselves (each stands for its surroundings too) and do not overlap. The weights
make states about as frequent as in the marketplace: São Paulo 42 %, Rio de Janeiro 13 %, Minas Gerais 12 %.
"""

import unicodedata
from dataclasses import dataclass
from functools import cached_property

from replayhouse.domain.kernel.places import normalised_city, region_of


@dataclass(frozen=True)
class Town:
    """A town: name with its accents, the middle in degrees, first and last zip prefix, how many customers it has."""

    name: str
    state: str
    latitude: float
    longitude: float
    first_prefix: int
    last_prefix: int
    weight: float

    @cached_property
    def plain_name(self) -> str:
        """The name as most rows spell it, without accents."""
        return normalised_city(self.name)

    @cached_property
    def region(self) -> str:
        """The region of its state."""
        return region_of(self.state)


TOWNS = (
    Town("são paulo", "SP", -23.55, -46.63, 1000, 5999, 172),
    Town("osasco", "SP", -23.53, -46.79, 6000, 6399, 13),
    Town("barueri", "SP", -23.51, -46.87, 6400, 6699, 10),
    Town("embu-guaçu", "SP", -23.83, -46.81, 6800, 6999, 4),
    Town("guarulhos", "SP", -23.46, -46.53, 7000, 7499, 18),
    Town("mogi das cruzes", "SP", -23.52, -46.19, 8600, 8999, 11),
    Town("santo andré", "SP", -23.66, -46.53, 9000, 9399, 13),
    Town("são bernardo do campo", "SP", -23.69, -46.56, 9500, 9899, 15),
    Town("diadema", "SP", -23.68, -46.62, 9900, 9999, 5),
    Town("santos", "SP", -23.96, -46.33, 11000, 11399, 14),
    Town("ilhabela", "SP", -23.78, -45.36, 11630, 11639, 0.5),
    Town("praia grande", "SP", -24.01, -46.41, 11700, 11899, 6),
    Town("taubaté", "SP", -23.03, -45.56, 12000, 12199, 6),
    Town("são josé dos campos", "SP", -23.19, -45.88, 12200, 12599, 13),
    Town("campinas", "SP", -22.91, -47.06, 13000, 13199, 20),
    Town("jundiaí", "SP", -23.19, -46.88, 13200, 13299, 8),
    Town("itu", "SP", -23.26, -47.30, 13300, 13399, 5),
    Town("piracicaba", "SP", -22.73, -47.65, 13400, 13449, 5),
    Town("santa bárbara d'oeste", "SP", -22.75, -47.41, 13450, 13479, 3),
    Town("limeira", "SP", -22.56, -47.40, 13480, 13599, 6),
    Town("mogi-guaçu", "SP", -22.37, -46.94, 13800, 13869, 4),
    Town("são joão da boa vista", "SP", -21.97, -46.80, 13870, 13899, 2),
    Town("ribeirão preto", "SP", -21.18, -47.81, 14000, 14299, 13),
    Town("franca", "SP", -20.54, -47.40, 14400, 14599, 5),
    Town("araraquara", "SP", -21.79, -48.18, 14800, 14999, 6),
    Town("são josé do rio preto", "SP", -20.81, -49.38, 15000, 15399, 11),
    Town("bauru", "SP", -22.31, -49.06, 17000, 17299, 8),
    Town("marília", "SP", -22.21, -49.95, 17500, 17699, 5),
    Town("sorocaba", "SP", -23.50, -47.46, 18000, 18299, 13),
    Town("presidente prudente", "SP", -22.13, -51.39, 19000, 19299, 6),
    Town("rio de janeiro", "RJ", -22.91, -43.20, 20000, 23799, 72),
    Town("niterói", "RJ", -22.88, -43.10, 24000, 24399, 11),
    Town("são gonçalo", "RJ", -22.83, -43.05, 24400, 24899, 10),
    Town("duque de caxias", "RJ", -22.79, -43.31, 25000, 25499, 9),
    Town("petrópolis", "RJ", -22.51, -43.18, 25600, 25899, 6),
    Town("nova iguaçu", "RJ", -22.76, -43.45, 26000, 26299, 8),
    Town("barra do piraí", "RJ", -22.47, -43.83, 27100, 27149, 1),
    Town("volta redonda", "RJ", -22.52, -44.10, 27200, 27299, 4),
    Town("macaé", "RJ", -22.37, -41.79, 27900, 27999, 3),
    Town("campos dos goytacazes", "RJ", -21.75, -41.32, 28000, 28299, 5),
    Town("belo horizonte", "MG", -19.92, -43.94, 30000, 31999, 50),
    Town("contagem", "MG", -19.93, -44.05, 32000, 32499, 10),
    Town("betim", "MG", -19.97, -44.20, 32500, 32899, 7),
    Town("governador valadares", "MG", -18.85, -41.95, 35000, 35129, 4),
    Town("ipatinga", "MG", -19.47, -42.54, 35160, 35259, 4),
    Town("divinópolis", "MG", -20.14, -44.88, 35500, 35699, 5),
    Town("juiz de fora", "MG", -21.76, -43.35, 36000, 36299, 11),
    Town("são joão del rei", "MG", -21.13, -44.26, 36300, 36399, 2),
    Town("poços de caldas", "MG", -21.79, -46.56, 37700, 37799, 4),
    Town("uberaba", "MG", -19.75, -47.93, 38000, 38199, 6),
    Town("uberlândia", "MG", -18.91, -48.27, 38400, 38699, 10),
    Town("montes claros", "MG", -16.73, -43.86, 39400, 39599, 5),
    Town("vitória", "ES", -20.32, -40.34, 29000, 29099, 6),
    Town("vila velha", "ES", -20.33, -40.29, 29100, 29159, 7),
    Town("serra", "ES", -20.13, -40.31, 29160, 29299, 7),
    Town("porto alegre", "RS", -30.03, -51.23, 90000, 91999, 24),
    Town("canoas", "RS", -29.92, -51.18, 92000, 92699, 7),
    Town("novo hamburgo", "RS", -29.68, -51.13, 93300, 93699, 6),
    Town("caxias do sul", "RS", -29.17, -51.18, 95000, 95299, 7),
    Town("pelotas", "RS", -31.77, -52.34, 96000, 96299, 5),
    Town("santa maria", "RS", -29.68, -53.81, 97000, 97199, 4),
    Town("passo fundo", "RS", -28.26, -52.41, 99000, 99199, 3),
    Town("curitiba", "PR", -25.43, -49.27, 80000, 82999, 22),
    Town("são josé dos pinhais", "PR", -25.53, -49.21, 83000, 83399, 5),
    Town("ponta grossa", "PR", -25.10, -50.16, 84000, 84199, 4),
    Town("itapejara d'oeste", "PR", -25.96, -52.81, 85580, 85589, 0.5),
    Town("cascavel", "PR", -24.96, -53.46, 85800, 85849, 3),
    Town("foz do iguaçu", "PR", -25.55, -54.59, 85850, 85899, 3),
    Town("londrina", "PR", -23.31, -51.16, 86000, 86299, 7),
    Town("maringá", "PR", -23.42, -51.94, 87000, 87199, 6),
    Town("florianópolis", "SC", -27.60, -48.55, 88000, 88099, 9),
    Town("são josé", "SC", -27.61, -48.63, 88100, 88199, 5),
    Town("balneário camboriú", "SC", -26.99, -48.63, 88300, 88399, 4),
    Town("criciúma", "SC", -28.68, -49.37, 88800, 88899, 3),
    Town("blumenau", "SC", -26.92, -49.07, 89000, 89199, 6),
    Town("joinville", "SC", -26.30, -48.85, 89200, 89299, 7),
    Town("chapecó", "SC", -27.10, -52.62, 89800, 89899, 3),
    Town("salvador", "BA", -12.97, -38.50, 40000, 42599, 17),
    Town("lauro de freitas", "BA", -12.89, -38.33, 42700, 42799, 3),
    Town("feira de santana", "BA", -12.27, -38.97, 44000, 44199, 5),
    Town("vitória da conquista", "BA", -14.87, -40.84, 45000, 45199, 4),
    Town("ilhéus", "BA", -14.79, -39.05, 45650, 45699, 2),
    Town("porto seguro", "BA", -16.45, -39.06, 45810, 45849, 3),
    Town("aracaju", "SE", -10.91, -37.07, 49000, 49199, 3.5),
    Town("recife", "PE", -8.05, -34.88, 50000, 52999, 9),
    Town("olinda", "PE", -8.01, -34.86, 53000, 53399, 3),
    Town("jaboatão dos guararapes", "PE", -8.11, -35.02, 54000, 54599, 3),
    Town("caruaru", "PE", -8.28, -35.98, 55000, 55199, 2),
    Town("maceió", "AL", -9.67, -35.74, 57000, 57199, 3.2),
    Town("arapiraca", "AL", -9.75, -36.66, 57300, 57399, 1),
    Town("joão pessoa", "PB", -7.12, -34.86, 58000, 58199, 3.6),
    Town("campina grande", "PB", -7.23, -35.88, 58400, 58499, 1.8),
    Town("natal", "RN", -5.79, -35.21, 59000, 59199, 3.7),
    Town("mossoró", "RN", -5.19, -37.34, 59600, 59699, 1.2),
    Town("fortaleza", "CE", -3.73, -38.53, 60000, 61599, 10),
    Town("sobral", "CE", -3.69, -40.35, 62000, 62199, 1.5),
    Town("juazeiro do norte", "CE", -7.21, -39.32, 63000, 63199, 1.8),
    Town("teresina", "PI", -5.09, -42.80, 64000, 64199, 5),
    Town("são luís", "MA", -2.53, -44.30, 65000, 65199, 5.5),
    Town("imperatriz", "MA", -5.53, -47.48, 65900, 65999, 2),
    Town("belém", "PA", -1.46, -48.50, 66000, 66999, 5.8),
    Town("ananindeua", "PA", -1.37, -48.37, 67000, 67199, 2),
    Town("santarém", "PA", -2.44, -54.71, 68000, 68199, 2),
    Town("macapá", "AP", 0.12, -51.07, 68900, 68949, 0.7),
    Town("manaus", "AM", -3.12, -60.02, 69000, 69299, 1.5),
    Town("boa vista", "RR", 2.82, -60.67, 69300, 69399, 0.5),
    Town("rio branco", "AC", -9.97, -67.81, 69900, 69949, 0.8),
    Town("brasília", "DF", -15.79, -47.88, 70000, 72799, 21),
    Town("goiânia", "GO", -16.69, -49.26, 74000, 74899, 12),
    Town("aparecida de goiânia", "GO", -16.82, -49.24, 74900, 74999, 4),
    Town("anápolis", "GO", -16.33, -48.95, 75000, 75199, 4),
    Town("porto velho", "RO", -8.76, -63.90, 76800, 76849, 1.7),
    Town("ji-paraná", "RO", -10.88, -61.95, 76900, 76949, 0.8),
    Town("palmas", "TO", -10.18, -48.33, 77000, 77299, 1.8),
    Town("araguaína", "TO", -7.19, -48.20, 77800, 77899, 1),
    Town("cuiabá", "MT", -15.60, -56.10, 78000, 78109, 5),
    Town("várzea grande", "MT", -15.65, -56.13, 78110, 78199, 2),
    Town("rondonópolis", "MT", -16.47, -54.64, 78700, 78799, 2),
    Town("campo grande", "MS", -20.44, -54.65, 79000, 79199, 5),
    Town("dourados", "MS", -22.22, -54.81, 79800, 79899, 2.2),
)

SELLERS_PER_CUSTOMER = {"SP": 1.45, "PR": 1.8, "SC": 1.6, "RS": 0.75, "MG": 0.65, "GO": 0.6, "RJ": 0.45, "DF": 0.45}
"""How much more often a state has a seller than a customer; any other state: 0.15."""


def other_spelling(town: Town) -> str:
    """The second most usual spelling: with accents, or with the state where the name has none."""
    return town.name if town.name != town.plain_name else f"{town.name}-{town.state.lower()}"


def odd_spelling(town: Town, way: int) -> str:
    """One of the rare spellings, by any number: slashes, states, blanks, other accents."""
    plain, state = town.plain_name, town.state.lower()
    spellings = (
        f"{plain} / {state}",
        f"{plain}/{state}",
        f"{plain} - {state}",
        f"{plain}, {state}, brasil",
        f"{plain} ",
        plain.upper(),
        plain.replace(" ", "  "),
        plain.replace(" ", "\N{NO-BREAK SPACE}"),
        plain.replace("'", "´"),
        unicodedata.normalize("NFD", town.name),
        town.name.title(),
        f"{plain} ({town.region.lower()})",
    )
    return spellings[way % len(spellings)]
