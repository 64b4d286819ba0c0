//! Somebody who follows a feed while everything happens, and what he must have seen at the end.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::TestApp;

/// A reader of one tenant's feed.
pub struct Follower<'a> {
    app: &'a TestApp,
    key: String,
    cursor: RefCell<Option<String>>,
    seen: RefCell<Vec<Value>>,
    stopped: Cell<bool>,
}

impl<'a> Follower<'a> {
    pub fn new(app: &'a TestApp, key: &str) -> Self {
        Self {
            app,
            key: key.to_owned(),
            cursor: RefCell::new(None),
            seen: RefCell::new(Vec::new()),
            stopped: Cell::new(false),
        }
    }

    /// Reads until told to stop, waiting at the end of the feed.
    pub async fn follow(&self) {
        while !self.stopped.get() {
            self.read("&wait=1").await;
        }
    }

    /// No more than what is being read.
    pub fn stop(&self) {
        self.stopped.set(true);
    }

    async fn read(&self, wait: &str) -> bool {
        let after = self.cursor.borrow().as_ref().map(|cursor| format!("&after={cursor}"));
        let path = format!("/v1/changes?limit=100{wait}{}", after.unwrap_or_default());
        let page = self.app.get(&self.key, &path).await;
        let rows = page.data(200).as_array().unwrap().clone();
        *self.cursor.borrow_mut() =
            page.body["pagination"]["next_cursor"].as_str().map(str::to_owned);
        self.seen.borrow_mut().extend(rows);
        page.body["pagination"]["has_more"].as_bool().unwrap()
    }

    /// Reads the rest. Then: what was followed is what a new reader is given; nothing comes twice;
    /// each object's changes come in order and without a gap.
    pub async fn check(self) -> Vec<Value> {
        self.app.drain().await;
        while self.read("").await {}
        let seen = self.seen.into_inner();
        let fresh = self.app.changes(&self.key).await;
        assert_eq!(seen.len(), fresh.len());
        assert_eq!(seen, fresh, "what was followed differs from what is read afterwards");
        let ids: BTreeSet<&str> =
            seen.iter().map(|change| change["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), seen.len(), "a change came twice");
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        for change in &seen {
            let object = change["data"]["object"]["_id"].as_str().unwrap();
            let sequence = change["sequence"].as_i64().unwrap();
            let before = last.insert(object, sequence).unwrap_or(0);
            assert_eq!(sequence, before + 1, "{change}");
        }
        seen
    }
}
