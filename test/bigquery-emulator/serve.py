"""Serves local-bigquery, with its questions about its own catalog answered quickly.

It asks DuckDB for the tables of all projects, up to six times a statement, and DuckDB asks DuckLake for the size of every one of them:
a tenth of a second for each question and project. Here the same questions go to the metadata of the one project they are about.
Nothing else is changed; statements are translated and computed as ever.

    python serve.py serve --host 127.0.0.1 --port 40123 --grpc-port 40124 --data-dir /tmp/data
"""

import duckdb

from local_bigquery.cli import main
from local_bigquery.engine import database
from local_bigquery.jobs import query

ask, run = database.fetch, query.execute

TABLES = """
select table_name, 'TABLE', coalesce(record_count, 0)
from {metadata}.ducklake_table as t join {metadata}.ducklake_schema as s using (schema_id)
left join {metadata}.ducklake_table_stats using (table_id)
where t.end_snapshot is null and s.end_snapshot is null and schema_name = $1 and table_name = coalesce($2, table_name)
union all
select view_name, 'VIEW', 0 from {metadata}.ducklake_view as v join {metadata}.ducklake_schema as s using (schema_id)
where v.end_snapshot is null and s.end_snapshot is null and schema_name = $1 and view_name = coalesce($2, view_name)
order by 1
"""
COLUMNS = """
select column_name
from {metadata}.ducklake_column as c join {metadata}.ducklake_table as t using (table_id)
join {metadata}.ducklake_schema as s using (schema_id)
where c.end_snapshot is null and t.end_snapshot is null and s.end_snapshot is null and c.parent_column is null
and schema_name = $1 and table_name = $2 and {condition}
"""
DATASETS = """
select 1 from {metadata}.ducklake_schema where end_snapshot is null and schema_name = $1
"""
ALL_TEMPORARY = "SELECT table_name FROM duckdb_tables() WHERE temporary"
OWN_TEMPORARY = "select distinct table_name from duckdb_columns() where database_name = 'temp'"
NO_TEMPORARY = "select '' where false"


def of(project: str, sql: str, params: list, **words: str) -> list[tuple]:
    """Nothing, where there is no such project."""
    if project not in database._attached:
        return []
    return ask(sql.format(metadata=database.quote(f"__ducklake_metadata_{project}"), **words), params)


def objects(project: str, dataset: str, table: str | None = None) -> list[tuple[str, str, int]]:
    if project != "emulator":
        return of(project, TABLES, [dataset, table])
    # Results of jobs, in a database of another kind: each is asked for by its name.
    try:
        return [(table, "TABLE", ask(f"select count(*) from {database.quote(project, dataset, table)}")[0][0])]
    except duckdb.CatalogException:
        return []


def fetch(sql: str, params: list | None = None) -> list[tuple]:
    if sql.startswith("SELECT 1 FROM duckdb_schemas() "):
        return of(params[0], DATASETS, params[1:])
    if " FROM duckdb_columns() " in sql:
        condition = "column_name = $3" if "column_name = ?" in sql else "not nulls_allowed"
        return of(params[0], COLUMNS, params[1:], condition=condition)
    return ask(sql, params)


class Cursor:
    """A connection that knows which temporary tables can be its own: none, where no session is."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, in_session: bool):
        self.connection = connection
        self.temporary = OWN_TEMPORARY if in_session else NO_TEMPORARY

    def sql(self, text: str, **options):
        return self.connection.sql(self.temporary if text == ALL_TEMPORARY else text, **options)

    def __getattr__(self, name: str):
        return getattr(self.connection, name)


def execute(cursor, *args, session=None, **options):
    return run(Cursor(cursor, session is not None), *args, session=session, **options)


database.objects, database.fetch, query.execute = objects, fetch, execute
main()
