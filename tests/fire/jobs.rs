//! No job is lost, and none is in two hands at the same time, when workers die or take long.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rialto::db::{Outcome, Scope, Tx};
use rialto::kernel::Result;
use rialto::kernel::ids::JobId;
use rialto::outbox::jobs::{Claimed, enqueue};
use rialto::outbox::{Handler, Handlers, Job, Worker};
use serde_json::json;
use tokio::sync::watch;

use crate::on_both_alone;
use crate::play::{dice, scaled, seeds};
use crate::support::{Options, TestApp};
use rand::RngExt;

const KIND: &str = "test.probe";

/// Who has begun and ended what.
#[derive(Default)]
struct Records {
    /// Runs of each job since the last death.
    begun: Mutex<BTreeMap<JobId, usize>>,
    /// Runs that came to their end, ever.
    ended: Mutex<BTreeMap<JobId, usize>>,
    running: AtomicUsize,
}

async fn queue(app: &TestApp, count: usize) {
    let write = move |tx: &mut Tx<'_>| {
        (0..count).for_each(|number| enqueue(tx, Job::now(KIND, json!({"number": number}))));
        Ok(Outcome::Done(()))
    };
    app.db().write(&Scope::platform("tests"), write).await.unwrap();
}

fn handler(records: &Arc<Records>, takes: Duration) -> Handler {
    let records = records.clone();
    Arc::new(move |_, job: Claimed| {
        let records = records.clone();
        Box::pin(async move {
            *records.begun.lock().unwrap().entry(job.id.clone()).or_default() += 1;
            records.running.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(takes).await;
            records.running.fetch_sub(1, Ordering::SeqCst);
            *records.ended.lock().unwrap().entry(job.id).or_default() += 1;
            Ok(())
        }) as futures_util::future::BoxFuture<'static, Result<()>>
    })
}

/// A worker in a runtime of its own: with it everything the worker has begun goes.
fn start(worker: &Worker) -> (tokio::runtime::Runtime, watch::Sender<bool>) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().unwrap();
    let (stop, stopped) = watch::channel(false);
    runtime.spawn(worker.clone().run(stopped));
    (runtime, stop)
}

on_both_alone! {
    async fn jobs_outlive_their_workers(app: &TestApp, Options::default()) {
        for seed in seeds(1, 5) {
            let mut dice = dice(seed);
            let count = scaled(120, 1000);
            queue(app, count).await;
            let records = Arc::new(Records::default());
            let takes = Duration::from_millis(40);
            let handlers = Handlers::default().on(KIND, handler(&records, takes));
            let worker = Worker::new(app.db().clone(), handlers);
            let mut deaths = 0;
            while records.ended.lock().unwrap().len() < count {
                records.begun.lock().unwrap().clear();
                let workers: Vec<_> = (0..3).map(|_| start(&worker)).collect();
                tokio::time::sleep(Duration::from_millis(dice.random_range(60..200))).await;
                workers.into_iter().for_each(|(runtime, _)| runtime.shutdown_background());
                // The threads that were at the database end their last statement.
                tokio::time::sleep(Duration::from_millis(100)).await;
                for (job, runs) in records.begun.lock().unwrap().iter() {
                    assert_eq!(*runs, 1, "{job} was in two hands");
                }
                deaths += 3;
                assert!(deaths < 600, "the jobs do not come to an end");
                app.advance(61);
            }
            // A worker that died between the end of a job and its record leaves it to another.
            let again: usize =
                records.ended.lock().unwrap().values().map(|runs| runs - 1).sum();
            println!("{count} jobs, {deaths} dead workers, {again} done again");
            worker.run_until_idle().await.unwrap();
        }
    }

    /// A job that takes longer than its lease is not taken for lost.
    async fn a_long_job_keeps_its_lease(app: &TestApp, Options::default()) {
        queue(app, 1).await;
        let records = Arc::new(Records::default());
        let takes = Duration::from_millis(1500);
        let handlers = Handlers::default().on(KIND, handler(&records, takes));
        let worker = Worker::new(app.db().clone(), handlers);
        let worker = worker.renewing_every(Duration::from_millis(50));
        let workers: Vec<_> = (0..2).map(|_| start(&worker)).collect();
        for _ in 0..6 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            app.advance(40);
        }
        assert_eq!(records.running.load(Ordering::SeqCst), 1);
        tokio::time::sleep(Duration::from_millis(800)).await;
        assert_eq!(records.ended.lock().unwrap().values().copied().collect::<Vec<_>>(), [1]);
        assert_eq!(records.begun.lock().unwrap().values().copied().collect::<Vec<_>>(), [1]);
        workers.into_iter().for_each(|(runtime, _)| runtime.shutdown_background());
    }
}
