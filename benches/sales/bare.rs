//! The statements of a purchase by hand: prepared, one transaction each.

use std::thread;
use std::time::Instant;

use diesel::connection::Connection;
use diesel::{QueryResult, RunQueryDsl};
use rialto::db::{AnyConnection, Purpose};
use rialto::kernel::ids::{ChangeId, Id, IdSource, PaymentId, TicketId};
use rialto::kernel::{Clock, Timestamp};

use crate::load::{Measured, Watch};
use crate::statement::{Statement, Value};
use crate::world::{Offered, World};

/// What a purchase writes besides numbers: the payment as each side sees it, and the answer.
pub struct Texts {
    /// A payment as JSON.
    pub payment: String,
}

/// How the purchases are made.
#[derive(Clone, Copy)]
pub struct Manner {
    /// Connections, each with a thread of its own.
    pub connections: usize,
    /// Purchases in a transaction.
    pub per_commit: usize,
    /// For how long.
    pub seconds: f64,
    /// All of one rate.
    pub hot: bool,
}

/// A thread per connection, each buying one ticket after the other.
pub fn run(world: &World, texts: &Texts, manner: Manner) -> Measured {
    let elapsed = std::time::Duration::from_secs_f64(manner.seconds);
    let seen = thread::scope(|scope| {
        let buyers: Vec<_> = (0..manner.connections)
            .map(|thread| scope.spawn(move || buyer(world, texts, manner, thread)))
            .collect();
        buyers.into_iter().map(|buyer| buyer.join().unwrap()).collect()
    });
    Measured::of(seen, elapsed)
}

fn buyer(world: &World, texts: &Texts, manner: Manner, thread: usize) -> Watch {
    let mut conn = world.config.database_url().unwrap().connect(Purpose::Migrate).unwrap();
    let mut watch = Watch::new(manner.seconds);
    let ids = IdSource::default();
    let offers = world.offered.len();
    let mut which = (0..).map(|count| if manner.hot { 0 } else { (thread * 7 + count) % offers });
    while watch.goes_on() {
        let begun = Instant::now();
        let purchases: Vec<_> = which
            .by_ref()
            .take(manner.per_commit)
            .map(|which| Purchase {
                world,
                texts,
                offered: &world.offered[which],
                now: Clock::default().now(),
                payment: ids.next::<PaymentId>(Clock::default().now()),
            })
            .collect();
        while buy(&mut conn, &purchases, &ids).is_err() {}
        purchases.iter().for_each(|_| watch.record(begun));
    }
    watch
}

struct Purchase<'a> {
    world: &'a World,
    texts: &'a Texts,
    offered: &'a Offered,
    now: Timestamp,
    payment: PaymentId,
}

fn buy(conn: &mut AnyConnection, purchases: &[Purchase<'_>], ids: &IdSource) -> QueryResult<()> {
    match conn {
        AnyConnection::Postgres(conn) => conn.transaction(|conn| {
            purchases.iter().try_for_each(|purchase| {
                let key = Value::from(purchase.payment.as_str());
                let lock = Statement::default().sql("SELECT pg_try_advisory_xact_lock(hashtext(");
                lock.bind(key).sql("))").execute(conn)?;
                let mut statements = statements(purchase, ids).into_iter();
                statements.try_for_each(|statement| statement.execute(conn).map(|_| ()))
            })
        }),
        AnyConnection::Sqlite(conn) => conn.immediate_transaction(|conn| {
            purchases.iter().try_for_each(|purchase| {
                let mut statements = statements(purchase, ids).into_iter();
                statements.try_for_each(|statement| statement.execute(conn).map(|_| ()))
            })
        }),
    }
}

/// In the order of the write path, the counters last.
fn statements(purchase: &Purchase<'_>, ids: &IdSource) -> Vec<Statement> {
    let Purchase { world, texts, offered, now, payment } = purchase;
    let (channel, until) =
        (Value::from(world.channel.as_str()), Value::from(now.plus_seconds(900)));
    let (org, now_) = (Value::from(offered.organization.as_str()), Value::from(*now));
    let (pay, test) = (Value::from(payment.as_str()), Value::from("test"));
    let change = Value::from(ids.next::<ChangeId>(*now).as_str());
    let ticket: TicketId = ids.next(*now);
    let json = Value::from(texts.payment.as_str());
    let hash = Value::from("5b8c1a0f5b8c1a0f5b8c1a0f5b8c1a0f5b8c1a0f5b8c1a0f5b8c1a0f5b8c1a0f");
    let text = |text: &str| Value::from(text);
    let (event, rate) = (text(&offered.event), text(&offered.rate));
    let line = |counter: &str| [org.clone(), pay.clone(), text(counter), 1.into()];
    let lines = [line(&offered.event), line(&offered.price), line(&offered.rate)];
    let lines: Vec<&[Value]> = lines.iter().map(|line| &line[..]).collect();
    let one = |table: &str, columns: &str, row: &[Value]| Statement::insert(table, columns, &[row]);
    // One after the other, in the order of their ids: `IN (...)` locks in any order, and deadlocks.
    let take = |id: &String| {
        Statement::default()
            .sql(
                "UPDATE counters SET taken = taken + 1, ever_taken = TRUE WHERE organization_id = ",
            )
            .bind(org.clone())
            .sql(" AND id = ")
            .bind(text(id))
            .sql(" AND (capacity IS NULL OR taken < capacity)")
    };
    let counters = [&offered.event, &offered.price, &offered.rate].map(take);
    let rows = vec![
        Statement::default()
            .sql("SELECT fingerprint FROM idempotency_keys WHERE tenant_id = ")
            .bind(channel.clone())
            .sql(" AND mode = 'test' AND idempotency_key = ")
            .bind(pay.clone()),
        Statement::default()
            .sql("SELECT updated_at FROM partnerships WHERE organization_id = ")
            .bind(org.clone())
            .sql(" AND channel_id = ")
            .bind(channel.clone())
            .sql(" AND status = 'active'"),
        one(
            "idempotency_keys",
            "tenant_id, mode, idempotency_key, fingerprint, status, body, created_at",
            &[
                channel.clone(),
                test.clone(),
                pay.clone(),
                hash,
                201.into(),
                json.clone(),
                now_.clone(),
            ],
        ),
        one(
            "holds",
            "organization_id, id, state, expires_at",
            &[org.clone(), pay.clone(), text("held"), until.clone()],
        ),
        Statement::insert("hold_lines", "organization_id, hold_id, counter_id, quantity", &lines),
        one(
            "payments",
            "organization_id, id, mode, channel_id, event_id, status, collects, currency, \
             amount_minor, fees_minor, paid_minor, refunded_minor, num_tickets, send_resources, \
             metadata, buyer_name, buyer_email, version, created_at, expires_at, updated_at",
            &[
                org.clone(),
                pay.clone(),
                test.clone(),
                channel.clone(),
                event.clone(),
                text("pending"),
                text("platform"),
                text("EUR"),
                2060.into(),
                60.into(),
                0.into(),
                0.into(),
                1.into(),
                true.into(),
                text("{\"user_id\":\"u-1\"}"),
                text("Ana Lopez"),
                text("ana@example.com"),
                1.into(),
                now_.clone(),
                until,
                now_.clone(),
            ],
        ),
        one(
            "payment_items",
            "organization_id, payment_id, position, rate_id, price_id, quantity, unit_minor, \
             fees_minor",
            &[
                org.clone(),
                pay.clone(),
                0.into(),
                rate.clone(),
                text(&offered.price),
                1.into(),
                2000.into(),
                60.into(),
            ],
        ),
        one(
            "tickets",
            "organization_id, id, mode, payment_id, event_id, rate_id, channel_id, position, \
             status, code, price, currency, price_minor, fee_minor, admits, entered, version, \
             created_at, updated_at",
            &[
                org.clone(),
                text(ticket.as_str()),
                test.clone(),
                pay.clone(),
                event.clone(),
                rate,
                channel.clone(),
                0.into(),
                text("pending_payment"),
                text(ticket.as_str()),
                text("{\"_id\":\"price_01\",\"name\":\"General admission\",\"price\":20}"),
                text("EUR"),
                2000.into(),
                60.into(),
                1.into(),
                0.into(),
                0.into(),
                now_.clone(),
                now_.clone(),
            ],
        ),
        one(
            "changes",
            "organization_id, id, channel_id, mode, event_id, kind, object_id, sequence, \
             data_organization, data_channel, created_at",
            &[
                org.clone(),
                change.clone(),
                channel.clone(),
                test.clone(),
                event,
                text("payment.created"),
                pay,
                1.into(),
                json,
                text("{\"$differs\":{\"metadata\":{\"user_id\":\"u-1\"}},\"$without\":[]}"),
                now_,
            ],
        ),
        one(
            "changes_pending",
            "organization_id, change_id, channel_id, mode",
            &[org.clone(), change, channel, test],
        ),
    ];
    rows.into_iter().chain(counters).collect()
}
