/**
 * The database in which datasets in memory are tables, behind views that have their names. Catalogs do not show it, and
 * its name is one that nobody's file is likely to have: a file `datasets.duckdb` is the database `datasets`.
 */
export const memoryDatabase = 'peregrine_datasets';
