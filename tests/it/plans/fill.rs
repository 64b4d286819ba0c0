//! Tables full of copies of what one walk through the operations leaves in them.

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::reader::NOT_GROWING;

/// How many times over a table gets what one walk through the operations leaves in it.
const COPIES: usize = 1_500;
/// Rows of a table that are copied.
const ROWS: usize = 20;
/// A few tenants sell most of it: copies share one by their number's remainder.
const SELLERS: usize = 3;
/// Tenants, each with a few events.
const MANY: usize = 1_000;

/// Columns that hold a tenant's id.
const OF_TENANT: [&str; 4] = ["organization_id", "channel_id", "tenant_id", "owner_id"];
/// Columns that hold an id which many payments share.
const OF_EVENT: [&str; 5] = ["event_id", "rate_id", "counter_id", "location_id", "customer_id"];
/// What every tenant has, however little it sells.
const OF_EVERY_TENANT: [&str; 12] = [
    "partnerships",
    "members",
    "invitations",
    "api_keys",
    "feed_heads",
    "locations",
    "event_numbers",
    "events",
    "ticket_rates",
    "rate_prices",
    "counters",
    "customers",
];
/// Tables of what many payments share.
const SHARED: [&str; 7] =
    ["organizations", "channels", "events", "ticket_rates", "counters", "locations", "customers"];
/// What else is each one's own.
const OWN: [&str; 8] = [
    "slug",
    "code",
    "email",
    "recipient",
    "secret_hash",
    "previous_hash",
    "reference",
    "idempotency_key",
];
const NUMBERS: [&str; 3] = ["number", "position", "seq"];

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    data_type: String,
}

impl Column {
    /// Its value in the copy number `n`.
    fn copied(&self) -> String {
        let Self { table_name: table, column_name: column, data_type } = self;
        let (table, column) = (table.as_str(), column.as_str());
        let tenant = OF_TENANT.contains(&column);
        let many = tenant && OF_EVERY_TENANT.contains(&table)
            || OF_EVENT.contains(&column)
            || column == "id" && SHARED.contains(&table);
        match data_type.as_str() {
            "text" if many => format!("r.{column} || '~' || n % {MANY}"),
            "text" if tenant => format!("r.{column} || '~' || n % {SELLERS}"),
            "text" if column == "id" || column.ends_with("_id") || OWN.contains(&column) => {
                format!("r.{column} || '~' || n")
            }
            "bigint" if NUMBERS.contains(&column) => format!("r.{column} + 1000000::bigint * n"),
            // Nothing of it falls due while the operations are called.
            kind if kind.starts_with("timestamp") => format!("r.{column} + INTERVAL '10 years'"),
            _ => format!("r.{column}"),
        }
    }
}

#[derive(QueryableByName)]
struct Rows {
    #[diesel(sql_type = Text)]
    rows: String,
}

/// Fills the tables of one database with copies of another's rows.
pub(super) fn fill(from: &mut PgConnection, to: &mut PgConnection) {
    let columns = "SELECT table_name::text, column_name::text, data_type::text \
        FROM information_schema.columns WHERE table_schema = 'public' \
        ORDER BY table_name, ordinal_position";
    let mut columns: Vec<Column> = sql_query(columns).load(from).unwrap();
    columns.retain(|column| !NOT_GROWING.contains(&column.table_name.as_str()));
    // Copies do not carry what triggers and foreign keys would look at.
    to.batch_execute("SET session_replication_role = replica").unwrap();
    for columns in columns.chunk_by(|a, b| a.table_name == b.table_name) {
        let table = &columns[0].table_name;
        let rows = format!(
            "SELECT COALESCE(json_agg(r), '[]')::text AS rows \
             FROM (SELECT * FROM {table} LIMIT {ROWS}) r"
        );
        let rows: Rows = sql_query(rows).get_result(from).unwrap();
        let names: Vec<_> = columns.iter().map(|column| column.column_name.as_str()).collect();
        let values: Vec<_> = columns.iter().map(Column::copied).collect();
        let copy = format!(
            "INSERT INTO {table} ({}) OVERRIDING SYSTEM VALUE SELECT {} \
             FROM json_populate_recordset(NULL::{table}, $1::json) r, \
             generate_series(1, {COPIES}) n ON CONFLICT DO NOTHING",
            names.join(", "),
            values.join(", ")
        );
        sql_query(copy).bind::<Text, _>(rows.rows).execute(to).unwrap();
    }
    to.batch_execute("ANALYZE").unwrap();
}
