"""The parts of the `gammu_smsd` gateway: the database (database), the tables in it (tables)."""
