"""Makes a data set of a folder of pictures: four IDX files and their description."""
