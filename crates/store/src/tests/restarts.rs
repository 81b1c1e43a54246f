//! A PostgreSQL that is restarted at once, again and again, while sessions are settled (M11, M12).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::server::Server;
use super::work::{Worker, as_told, buy, expect_nothing_lost_or_doubled};
use crate::Store;
use crate::testing::new_directory;

/// How often it is restarted.
const RESTARTS: &str = "HOUSECALL_RESTARTS";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn m11_m12_no_credit_is_lost_or_taken_twice_by_a_server_that_is_restarted_at_once() {
    let restarts = as_told(RESTARTS, 5);
    let Some(server) = Server::start(&new_directory()) else {
        return;
    };
    let server = Arc::new(server);
    let store = Store::open(server.address()).await.unwrap();
    buy(&store).await;
    let mut workers = [1, 2, 3].map(|number| Worker::new(&store, number));
    let progress = workers[0].progress.clone();
    let over = AtomicBool::new(false);
    let goes_on = || !over.load(Ordering::Relaxed);
    let [one, two, three] = &mut workers;
    let restart = async {
        let mut random = StdRng::seed_from_u64(restarts);
        for _ in 0..restarts {
            let before = progress.load(Ordering::Relaxed);
            // Its own patience ends a worker that waits for ever.
            while progress.load(Ordering::Relaxed) == before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::sleep(Duration::from_millis(random.random_range(0..120))).await;
            let mut witness = store.pool().acquire().await.unwrap();
            let server = server.clone();
            let restarted = tokio::task::spawn_blocking(move || server.restart_at_once());
            restarted.await.unwrap();
            // Workers may not notice: the store tries again by itself. But nobody was spared.
            let asked = sqlx::query("SELECT 1").execute(&mut *witness).await;
            assert!(asked.is_err(), "a connection has outlived its server");
        }
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(
        restart,
        one.work_while(goes_on),
        two.work_while(goes_on),
        three.work_while(goes_on)
    );
    expect_nothing_lost_or_doubled(&store, &workers).await;
    let sum = |of: fn(&Worker) -> u64| workers.iter().map(of).sum::<u64>();
    eprintln!(
        "{restarts} restarts, {} sessions, {} entries confirmed, {} attempts failed, {} entries were written and not confirmed at first",
        sum(|worker| worker.sessions),
        sum(|worker| worker.confirmed.len() as u64),
        sum(|worker| worker.errors.len() as u64),
        sum(|worker| worker.answered_late)
    );
}
