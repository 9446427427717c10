-- Who ran a load, from which machine, with which version of the program.
SELECT;
