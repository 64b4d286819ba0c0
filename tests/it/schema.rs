//! Both migration trees make the same schema, the one the code claims, and can be undone.

use std::collections::BTreeMap;

use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use rialto::db::{DatabaseUrl, migrate, revert_all};

use crate::support::cluster::cluster;
use crate::support::{Backend, available};

/// Column name -> type in our words and whether it may be empty.
type Table = BTreeMap<String, (String, bool)>;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    table_name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    column_name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    kind: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    nullable: bool,
}

fn tables(columns: Vec<Column>) -> BTreeMap<String, Table> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for column in columns {
        let Column { table_name, column_name, kind, nullable } = column;
        if table_name.starts_with("__diesel") {
            continue;
        }
        let columns = tables.entry(table_name).or_default();
        columns.insert(column_name, (kind.to_lowercase(), nullable));
    }
    tables
}

fn sqlite(path: &str) -> BTreeMap<String, Table> {
    let mut conn = SqliteConnection::establish(path).unwrap();
    let query = "SELECT m.name AS table_name, c.name AS column_name, c.type AS kind, \
        c.\"notnull\" = 0 AS nullable FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
    tables(sql_query(query).load(&mut conn).unwrap())
}

fn postgres(url: &str) -> BTreeMap<String, Table> {
    let mut conn = PgConnection::establish(url).unwrap();
    let query = "SELECT table_name::text, column_name::text, data_type::text AS kind, \
        is_nullable = 'YES' AS nullable FROM information_schema.columns \
        WHERE table_schema = 'public'";
    tables(sql_query(query).load(&mut conn).unwrap())
}

/// What `db/schema` claims.
fn claimed() -> BTreeMap<String, Table> {
    let files = std::fs::read_dir("src/db/schema").unwrap().map(|file| file.unwrap().path());
    let text: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let mut tables = BTreeMap::new();
    for block in text.split("diesel::table!").skip(1) {
        let mut lines = block.lines().map(str::trim);
        let head = lines.find(|line| line.ends_with('{') && line.contains('(')).unwrap();
        let name = head.split_whitespace().next().unwrap().to_owned();
        let mut columns = Table::new();
        for line in lines.take_while(|line| *line != "}") {
            let (column, kind) = line.trim_end_matches(',').split_once(" -> ").unwrap();
            let nullable = kind.starts_with("Nullable<");
            let kind = kind.trim_start_matches("Nullable<").trim_end_matches('>').to_owned();
            columns.insert(column.to_owned(), (kind, nullable));
        }
        tables.insert(name, columns);
    }
    tables
}

fn with_types(
    claimed: &BTreeMap<String, Table>,
    names: &[(&str, &str)],
) -> BTreeMap<String, Table> {
    let mut typed = claimed.clone();
    for (kind, _) in typed.values_mut().flat_map(|table| table.values_mut()) {
        let name = names.iter().find(|(ours, _)| ours == kind).expect("a known type").1;
        *kind = name.to_owned();
    }
    typed
}

#[test]
fn sqlite_has_the_claimed_schema_and_can_be_undone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("schema.sqlite3");
    let url = DatabaseUrl::Sqlite(path.clone());
    let ran = migrate(&url).unwrap();
    let types = [
        ("Text", "text"),
        ("Instant", "text"),
        ("BigInt", "integer"),
        ("Integer", "integer"),
        ("Bool", "integer"),
    ];
    assert_eq!(sqlite(path.to_str().unwrap()), with_types(&claimed(), &types));
    assert_eq!(migrate(&url).unwrap().len(), 0, "a second run has nothing to do");
    assert_eq!(revert_all(&url).unwrap().len(), ran.len());
    assert_eq!(sqlite(path.to_str().unwrap()), BTreeMap::new());
}

#[test]
fn postgres_has_the_claimed_schema_and_can_be_undone() {
    if !available(Backend::Postgres) {
        return;
    }
    let cluster = cluster().unwrap();
    let name = cluster.create_empty();
    let url = cluster.url(&name);
    // Servers that start together migrate one after the other.
    let ran: usize = std::thread::scope(|scope| {
        let start = || migrate(&DatabaseUrl::Postgres(url.clone())).unwrap().len();
        let all: Vec<_> = (0..3).map(|_| scope.spawn(start)).collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    });
    let types = [
        ("Text", "text"),
        ("Instant", "timestamp with time zone"),
        ("BigInt", "bigint"),
        ("Integer", "integer"),
        ("Bool", "boolean"),
    ];
    assert_eq!(postgres(&url), with_types(&claimed(), &types));
    assert_eq!(revert_all(&DatabaseUrl::Postgres(url.clone())).unwrap().len(), ran);
    assert_eq!(postgres(&url), BTreeMap::new());
    cluster.remove(&name);
}

#[test]
fn a_postgres_that_does_not_flush_is_refused() {
    if !available(Backend::Postgres) {
        return;
    }
    let cluster = cluster().unwrap();
    let name = cluster.create_empty();
    cluster.execute(&format!("ALTER DATABASE {name} SET synchronous_commit = off"));
    let refused = migrate(&DatabaseUrl::Postgres(cluster.url(&name))).unwrap_err();
    assert!(refused.to_string().contains("synchronous_commit"), "{refused:#}");
    cluster.remove(&name);
}

#[test]
fn both_trees_have_the_same_names() {
    let names = |tree: &str| {
        let mut names: Vec<_> = std::fs::read_dir(format!("migrations/{tree}"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}
