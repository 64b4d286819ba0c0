//! R9 and R10: random sequences of the main job against the real service and, beside it, against
//! a model small enough to be seen through. Every answer and every number must agree.

mod run;
mod truth;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::play::{alone, scaled, seeds};
use crate::support::{Backend, Options, TestApp, available};
use run::Run;

/// Actions of a sequence.
const ACTIONS: std::ops::Range<usize> = 5..30;
/// Time moves by multiples of this. No multiple is near a hold's length, so that the time the
/// test itself takes decides nothing.
const STEP_SECONDS: u32 = 200;
/// How much longer somebody wants.
const EXTENSIONS: [i64; 3] = [300, 1_700, 5_100];

/// What a card does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Card {
    Good,
    Declined,
    /// Refused, and charged after all.
    Unsure,
}

/// What somebody does. Numbers choose among the sales there are.
#[derive(Clone, Debug)]
enum Action {
    Buy { quantity: i64 },
    BuyAgain { sale: usize },
    Pay { sale: usize, by: Card },
    Finalize { sale: usize },
    Extend { sale: usize, seconds: i64 },
    Cancel { sale: usize },
    CallBack { sale: usize },
    Refund { sale: usize, amount: i64 },
    RefundTicket { sale: usize, ticket: usize },
    Enter { sale: usize, ticket: usize },
    Wait { steps: u32 },
    Work,
    SetCapacity { capacity: i64 },
    SetPrice { price: i64 },
    CallOff,
}

fn action() -> impl Strategy<Value = Action> {
    let sale = 0..6_usize;
    let by = prop_oneof![6 => Just(Card::Good), 2 => Just(Card::Declined), 3 => Just(Card::Unsure)];
    prop_oneof![
        8 => (1..=4_i64).prop_map(|quantity| Action::Buy { quantity }),
        2 => sale.clone().prop_map(|sale| Action::BuyAgain { sale }),
        8 => (sale.clone(), by).prop_map(|(sale, by)| Action::Pay { sale, by }),
        2 => sale.clone().prop_map(|sale| Action::Finalize { sale }),
        2 => (sale.clone(), prop::sample::select(&EXTENSIONS[..]))
            .prop_map(|(sale, seconds)| Action::Extend { sale, seconds }),
        2 => sale.clone().prop_map(|sale| Action::Cancel { sale }),
        1 => sale.clone().prop_map(|sale| Action::CallBack { sale }),
        2 => (sale.clone(), 1..=5_000_i64).prop_map(|(sale, amount)| Action::Refund { sale, amount }),
        3 => (sale.clone(), 0..4_usize)
            .prop_map(|(sale, ticket)| Action::RefundTicket { sale, ticket }),
        4 => (sale, 0..4_usize).prop_map(|(sale, ticket)| Action::Enter { sale, ticket }),
        4 => (1..=6_u32).prop_map(|steps| Action::Wait { steps }),
        2 => Just(Action::Work),
        2 => (1..=16_i64).prop_map(|capacity| Action::SetCapacity { capacity }),
        1 => prop_oneof![Just(0), 1..=40_i64].prop_map(|price| Action::SetPrice { price }),
        1 => Just(Action::CallOff),
    ]
}

fn agree(backend: Backend) {
    let _alone = alone();
    if !available(backend) {
        return;
    }
    let system = actix_web::rt::System::new();
    let app = system.block_on(TestApp::spawn(backend, Options::default()));
    for seed in seeds(1, 1) {
        println!("RIALTO_TEST_SEED={seed}");
        let cases = u32::try_from(scaled(500, 2000)).unwrap();
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let sequences = prop::collection::vec(action(), ACTIONS);
        let ran = runner.run(&sequences, |actions| {
            system.block_on(async {
                let mut run = Run::start(&app).await;
                for action in &actions {
                    run.act(action).await;
                }
                run.compare().await;
            });
            Ok(())
        });
        if let Err(failure) = ran {
            panic!("{failure}");
        }
    }
    system.block_on(app.finish());
}

#[test]
fn sqlite() {
    agree(Backend::Sqlite);
}

#[test]
fn postgres() {
    agree(Backend::Postgres);
}
