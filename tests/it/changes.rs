//! The feed: each side's own, in order, without holes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::on_both;

on_both! {
    async fn each_side_reads_its_own_in_order(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let sells = (0..12).map(|_| app.paid(&rate, 1));
        futures_util::future::join_all(sells).await;
        let (org, channel) = (app.changes(&app.seed.org).await, app.changes(&app.seed.channel).await);
        assert_eq!(channel.len(), 12 * 3);
        assert_eq!(org.len(), 3 + 12 * 3);
        let shared: Vec<&Value> = org.iter().filter(|change| !change["channel_id"].is_null()).collect();
        let ids = |changes: &[&Value]| -> Vec<Value> {
            let mut ids: Vec<Value> = changes.iter().map(|change| change["id"].clone()).collect();
            ids.sort_by_key(Value::to_string);
            ids
        };
        assert_eq!(ids(&shared), ids(&channel.iter().collect::<Vec<_>>()), "the same changes");
        let mut sequences: BTreeMap<String, i64> = BTreeMap::new();
        for change in &org {
            let object = change["data"]["object"]["_id"].as_str().unwrap().to_owned();
            let last = sequences.entry(object).or_default();
            assert_eq!(change["sequence"], *last + 1, "{}", change["type"]);
            *last += 1;
        }
        for change in &shared {
            let object = &change["data"]["object"];
            assert!(object["metadata"].is_null(), "the channel's own is not shown");
        }
        assert_eq!(app.changes(&app.seed.other_org).await, Vec::<Value>::new());
        assert_eq!(app.changes(&app.seed.channel_live).await, Vec::<Value>::new());
    }

    async fn a_long_poll_ends_when_something_happens(app: &TestApp) {
        let start = app.get(&app.seed.org, "/v1/changes").await;
        assert_eq!(start.data(200), &json!([]));
        let next = start.body["pagination"]["next_cursor"].as_str().unwrap().to_owned();
        let began = Instant::now();
        let poll = app.get(&app.seed.org, "/v1/changes?wait=1");
        assert_eq!(poll.await.data(200), &json!([]));
        assert!(began.elapsed() >= Duration::from_secs(1));
        let path = format!("/v1/changes?after={next}&wait=20");
        let began = Instant::now();
        let act = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            app.draft(Value::Null).await
        };
        let (seen, _) = futures_util::future::join(app.get(&app.seed.org, &path), act).await;
        assert_eq!(seen.data(200)[0]["type"], "event.created");
        assert!(began.elapsed() < Duration::from_secs(5));
        let bad = app.get(&app.seed.org, "/v1/changes?after=%F0%9F&wait=31").await;
        let mut fields = bad.fields();
        fields.sort_unstable();
        assert_eq!(fields, ["after", "wait"]);
        // A cursor of another list is no place in this feed.
        let other = app.get(&app.seed.org, "/v1/changes?after=ZXZ0XzE").await;
        assert_eq!(other.fields(), ["after"]);
    }
}
