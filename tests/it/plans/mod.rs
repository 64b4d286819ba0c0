//! What PostgreSQL does for the statements of every operation, of every list with each filter, and
//! of the worker beside them, once its tables are full and it has looked at them.
//!
//! A plan that reads a whole table is quick while the table is small, and its estimates turn a
//! plan around when the first statistics are taken, a minute after a busy start. So the operations
//! are called against full tables with fresh statistics, PostgreSQL is told to plan without
//! looking at what is asked for (as it does from a statement's sixth call on), and the plans it
//! logs are read.

mod fill;
mod lists;
mod reader;

use std::collections::BTreeSet;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use rialto::db::DatabaseUrl;
use serde_json::{Value, json};

use crate::every_operation;
use crate::support::cluster::Cluster;
use crate::support::ground::Ground;
use crate::support::{Backend, TestApp, available};
use fill::fill;
use reader::Reader;

/// The statements and plans in a server's log.
fn plans(log: &str) -> Vec<(String, Value)> {
    let mut plans = Vec::new();
    let mut lines = log.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.ends_with("  plan:") {
            continue;
        }
        let mut json = String::new();
        while let Some(more) = lines.next_if(|line| line.starts_with('\t')) {
            json.push_str(more);
        }
        let mut told: Value = serde_json::from_str(&json).unwrap();
        plans.push((told["Query Text"].as_str().unwrap().to_owned(), told["Plan"].take()));
    }
    plans
}

/// The tables a plan reads.
fn tables(plan: &Value) -> BTreeSet<&str> {
    let below = plan["Plans"].as_array().into_iter().flatten().flat_map(tables);
    let own = plan["Relation Name"].as_str().filter(|_| plan["Node Type"] != "ModifyTable");
    below.chain(own).collect()
}

/// What a tenant still has is counted when it leaves, which happens once.
fn of_departure(statement: &str) -> bool {
    let counts = ["events", "payments", "refunds"]
        .iter()
        .any(|table| statement.starts_with(&format!(r#"SELECT COUNT(*) FROM "{table}" "#)));
    counts && !statement.contains(r#""event_id" = $"#)
}

/// An application on a database of a cluster.
async fn on(cluster: &'static Cluster) -> (TestApp, PgConnection) {
    let ground = Ground::on(Some(cluster));
    let DatabaseUrl::Postgres(url) = ground.config.database_url().unwrap() else { unreachable!() };
    let mut conn = PgConnection::establish(&url).unwrap();
    for (name, value) in TOLD {
        let set = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET ";
        conn.batch_execute(&format!("{set}{name} = %L', current_database(), '{value}'); END $$"))
            .unwrap();
    }
    (TestApp::open(Arc::new(ground), None, Default::default()).await, conn)
}

/// Plans are told for every statement, and made without a look at its values.
const TOLD: [(&str, &str); 6] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("session_preload_libraries", "auto_explain"),
    ("auto_explain.log_min_duration", "0"),
    ("auto_explain.log_format", "json"),
    ("auto_explain.log_nested_statements", "on"),
    ("log_min_messages", "log"),
];

#[test]
fn no_statement_reads_a_table_that_grows() {
    if !available(Backend::Postgres) {
        return;
    }
    let cluster = Cluster::with(&[]).unwrap();
    actix_web::rt::System::new().block_on(async {
        // Almost empty tables: any index seems as good as any.
        let (pattern, mut from) = on(cluster).await;
        every_operation::all(&pattern).await;
        lists::all(&pattern).await;
        // And something that the worker has still to do.
        let (_, rate) = pattern.on_sale(json!({"capacity": 300})).await;
        pattern.paid(&rate, 1).await;
        let empty = cluster.log();
        let (app, mut to) = on(cluster).await;
        fill(&mut from, &mut to);
        let reader = Reader::of(&mut to);
        let filled = cluster.log().len();
        every_operation::all(&app).await;
        lists::all(&app).await;
        let all = cluster.log();
        pattern.finish().await;
        app.abandon().await;

        let mut wrong = BTreeSet::new();
        for (plans, reader) in [(plans(&all[filled..]), &reader), (plans(&empty), &reader.blind())]
        {
            let read: BTreeSet<&str> = plans.iter().flat_map(|(_, plan)| tables(plan)).collect();
            let unread = reader.growing.iter().filter(|table| !read.contains(table.as_str()));
            // Its rows are numbers that are taken, and nothing is asked of them.
            assert_eq!(unread.collect::<Vec<_>>(), ["event_numbers"]);
            for (statement, plan) in plans.iter().filter(|(told, _)| !of_departure(told)) {
                let faults = reader.faults(plan, "", false).into_iter();
                wrong.extend(faults.map(|fault| format!("{fault}\n    {statement}\n")));
            }
        }
        assert!(wrong.is_empty(), "{}", Vec::from_iter(wrong).concat());
    });
}
