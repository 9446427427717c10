"""The marketplace as its people speak of it: five contexts that share only a small kernel, standard library only."""
