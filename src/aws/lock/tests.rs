use std::collections::BTreeMap;

use aws_credential_types::Credentials;
use jiff::SignedDuration;

use super::*;
use crate::aws::Connection;
use crate::origin::Origin;
use crate::sandbox::Sandbox;
use crate::sandbox::conditions::Conditions;
use crate::sandbox::connector::Connector;

const ACCOUNT: &str = "111122223333";

async fn session(sandbox: &Sandbox) -> Aws {
    let place = Place { account: ACCOUNT.into(), region: "eu-west-1".into(), partition: "aws".into() };
    let credentials = Credentials::new(ACCOUNT, "sandbox", None, None, "sandbox");
    let transport = Some((Connector::new(sandbox.clone()).client(), credentials));
    let connection = Connection { region: place.region.clone(), transport, ..Connection::default() };
    connection.open(&place).await.unwrap()
}

fn owner() -> Owner {
    Owner { product: "shop".into(), environment: "prod".into() }
}

fn somebody(name: &str) -> Holder {
    let by = Origin { host: name.into(), ..Origin::default() };
    Holder::new("apply", by, Timestamp::now())
}

/// Somebody who gave no sign of life for an hour.
fn gone(name: &str) -> Holder {
    let long_ago = Timestamp::now() - SignedDuration::from_hours(1);
    Holder { since: long_ago, seen: long_ago, ..somebody(name) }
}

async fn taken(aws: &Aws, holder: Holder) -> Result<Lock, String> {
    match take(aws, &owner(), holder).await {
        Ok(Taken::Ours { lock, .. }) => Ok(*lock),
        Ok(Taken::Theirs(other)) => Err(other.by.host),
        Err(failure) => Err(failure.to_string()),
    }
}

/// The names of all log groups.
async fn groups(aws: &Aws) -> Vec<String> {
    let all = aws.read.clients.logs.describe_log_groups().send().await.unwrap().log_groups.unwrap_or_default();
    all.into_iter().filter_map(|group| group.log_group_name).collect()
}

#[tokio::test(start_paused = true)]
async fn one_has_it_until_it_is_given_back() {
    let aws = session(&Sandbox::in_memory()).await;
    assert_eq!(holder(&aws.read, &owner()).await.unwrap(), None);
    let lock = taken(&aws, somebody("first")).await.unwrap();
    assert_eq!(holder(&aws.read, &owner()).await.unwrap().unwrap().token, lock.holder().token);
    assert_eq!(taken(&aws, somebody("second")).await.unwrap_err(), "first");
    assert_eq!(groups(&aws).await, ["gwctl/lock/shop/prod"]);
    lock.give_back().await.unwrap();
    assert_eq!(groups(&aws).await, [""; 0]);
    taken(&aws, somebody("third")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn of_many_at_once_one_has_it() {
    for expired in [false, true] {
        let sandbox = Sandbox::in_memory();
        let aws = session(&sandbox).await;
        if expired {
            taken(&aws, gone("dead")).await.unwrap();
        }
        let sandbox = sandbox.under(Conditions::none().latency("5ms..40ms".parse().unwrap()).seed(7));
        let all = (0..16).map(async |number| {
            let aws = session(&sandbox).await;
            taken(&aws, somebody(&number.to_string())).await
        });
        let all = futures::future::join_all(all).await;
        let winners: Vec<&Lock> = all.iter().filter_map(|one| one.as_ref().ok()).collect();
        assert_eq!(winners.len(), 1, "{all:?}");
        let winner = &winners[0].holder().by.host;
        let known = |other: &String| other == winner || (expired && other == "dead");
        assert!(all.iter().filter_map(|one| one.as_ref().err()).all(known), "{winner}: {all:?}");
        assert_eq!(groups(&aws).await, ["gwctl/lock/shop/prod"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_gives_no_sign_of_life_is_taken_over_and_said() {
    let aws = session(&Sandbox::in_memory()).await;
    let dead = taken(&aws, gone("dead")).await.unwrap();
    let Taken::Ours { lock, from } = take(&aws, &owner(), somebody("heir")).await.unwrap() else { panic!("held") };
    assert_eq!(from.unwrap().by.host, "dead");
    assert_eq!(groups(&aws).await, ["gwctl/lock/shop/prod"]);
    // The dead one wakes up: it does not take what is another's now.
    assert!(dead.kept_alive().await.to_string().contains("taken over"));
    dead.give_back().await.unwrap();
    assert!(lock.stands().await.unwrap());
}

/// Heirs may die at any moment, one after the other: the next one gets it, and nothing is left in the end.
#[tokio::test(start_paused = true)]
async fn heirs_that_die_keep_nobody_out() {
    let mut ends = std::collections::BTreeSet::new();
    let calls = || (0..24).step_by(2);
    for (first, second) in calls().flat_map(|first| calls().map(move |second| (first, second))) {
        let sandbox = Sandbox::in_memory();
        let aws = session(&sandbox).await;
        taken(&aws, gone("dead")).await.unwrap();
        let slow = session(&sandbox.clone().under(Conditions::none().latency("10ms".parse().unwrap()))).await;
        for (name, calls) in [("heir", first), ("heir's heir", second)] {
            // In the midst of a call or of the pause after it.
            let dies = Duration::from_millis(10 * calls + 5);
            let taking = tokio::time::timeout(dies, taken(&slow, gone(name))).await;
            ends.insert((name, taking.is_ok()));
        }
        ends.insert(("groups", groups(&aws).await.len() > 2));
        let lock = taken(&aws, somebody("third")).await.unwrap();
        if second % 4 == 0 {
            lock.give_back().await.unwrap();
        } else {
            let holder = holder(&aws.read, &owner()).await.unwrap().unwrap();
            assert!(take_away(&aws, &owner(), &holder).await.unwrap());
        }
        assert_eq!(groups(&aws).await, [""; 0], "{first} {second}");
    }
    let all = ["heir", "heir's heir", "groups"].into_iter().flat_map(|name| [(name, false), (name, true)]);
    assert_eq!(
        ends,
        all.collect(),
        "each died, each came into its own, and there was more than a lock and a succession"
    );
}

/// Whoever takes a dead one's lock away takes away what its heirs left.
#[tokio::test(start_paused = true)]
async fn a_lock_is_taken_away_with_all_that_leads_to_it() {
    let sandbox = Sandbox::in_memory();
    let aws = session(&sandbox).await;
    let slow = session(&sandbox.clone().under(Conditions::none().latency("10ms".parse().unwrap()))).await;
    for millis in (5..300).step_by(10) {
        taken(&aws, gone("dead")).await.unwrap();
        for name in ["heir", "heir's heir"] {
            drop(tokio::time::timeout(Duration::from_millis(millis), taken(&slow, gone(name))).await);
        }
        let seen = holder(&aws.read, &owner()).await.unwrap().unwrap();
        assert!(take_away(&aws, &owner(), &seen).await.unwrap());
        assert_eq!(groups(&aws).await, [""; 0], "{millis}");
        assert!(!take_away(&aws, &owner(), &seen).await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn it_lives_as_long_as_its_holder() {
    let aws = session(&Sandbox::in_memory()).await;
    let lock = taken(&aws, gone("slow")).await.unwrap();
    let alive = tokio::time::timeout(Duration::from_secs(150), lock.kept_alive()).await;
    assert!(alive.is_err(), "{alive:?}");
    let seen = holder(&aws.read, &owner()).await.unwrap().unwrap();
    assert!(!seen.is_expired(Timestamp::now()), "{seen:?}");
    assert_eq!(seen.since, Timestamp::from_second(lock.holder().since.as_second()).unwrap());
    assert!(take_away(&aws, &owner(), &seen).await.unwrap());
    assert!(lock.kept_alive().await.to_string().contains("taken away"));
}

#[tokio::test(start_paused = true)]
async fn who_can_not_see_the_lock_for_long_has_lost_it() {
    let sandbox = Sandbox::in_memory();
    let lock = taken(&session(&sandbox).await, somebody("blind")).await.unwrap();
    let blind = sandbox.under(Conditions::none().fault("deny:ListTagsForResource".parse().unwrap()));
    let lock = Lock { logs: session(&blind).await.write.logs, ..lock };
    let begun = Instant::now();
    assert!(lock.kept_alive().await.to_string().contains("could not be seen for"));
    assert!((HELD_BLINDLY..HELD_BLINDLY + LOOKS_UP_EVERY * 2).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

/// Whatever becomes of a call on the way: the token tells whose it is, and nothing is left behind.
#[tokio::test(start_paused = true)]
async fn lost_answers_and_refusals_leave_one_lock_or_none() {
    for (fault, held) in [
        ("cut-after:CreateLogGroup#1", true),
        ("cut-before:CreateLogGroup#1", true),
        ("error:CreateLogGroup#1", true),
        ("throttle:CreateLogGroup#1", true),
        ("cut-after:ListTagsForResource#1", true),
        ("cut-after:DeleteLogGroup#1", true),
        ("throttle:DeleteLogGroup#1", true),
        ("error:DeleteLogGroup#1", true),
        ("deny:CreateLogGroup", false),
        ("deny:ListTagsForResource", false),
    ] {
        let sandbox = Sandbox::in_memory();
        let faulty = sandbox.clone().under(Conditions::none().fault(fault.parse().unwrap()));
        match taken(&session(&faulty).await, somebody("one")).await {
            Ok(lock) => {
                assert!(held, "{fault}");
                lock.give_back().await.unwrap();
            }
            Err(why) => assert!(!held && why.contains("failed to take the lock"), "{fault}: {why}"),
        }
        let left = groups(&session(&sandbox).await).await;
        assert_eq!(left, [""; 0], "{fault}");
    }
}

/// A machine that slept has not seen its lock, though its own clock stood still.
#[test]
fn time_that_a_machine_sleeps_counts() {
    let tokio = tokio::runtime::Builder::new_current_thread().start_paused(true).enable_all().build().unwrap();
    tokio.block_on(async {
        let slept = Moment(Instant::now(), Timestamp::now() - SignedDuration::from_mins(50));
        assert!(slept.elapsed() > Duration::from_mins(49));
        let set_back = Moment(Instant::now(), Timestamp::now() + SignedDuration::from_mins(50));
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(set_back.elapsed(), Duration::from_secs(7));
    });
}

/// An AWS that never answers does not keep a holder from knowing that it has lost the lock.
#[tokio::test(start_paused = true)]
async fn who_gets_no_answer_for_long_has_lost_it() {
    let sandbox = Sandbox::in_memory();
    let lock = taken(&session(&sandbox).await, somebody("deaf")).await.unwrap();
    let deaf =
        sandbox.under(Conditions::none().latency("50s".parse().unwrap()).fault("error:TagResource".parse().unwrap()));
    let lock = Lock { logs: session(&deaf).await.write.logs, ..lock };
    let begun = Instant::now();
    assert!(lock.kept_alive().await.to_string().contains("could not be seen for 4 min"));
    assert!((HELD_BLINDLY..HELD_BLINDLY + LOOKS_UP_EVERY * 2).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_log_group_of_that_name_without_the_tags_is_nobodys_lock() {
    let aws = session(&Sandbox::in_memory()).await;
    aws.write.logs.create_log_group().log_group_name(lock::name(&owner())).send().await.unwrap();
    for why in
        [taken(&aws, somebody("one")).await.unwrap_err(), holder(&aws.read, &owner()).await.unwrap_err().to_string()]
    {
        assert!(why.contains("is no lock of gwctl"), "{why}");
    }
    assert_eq!(groups(&aws).await, ["gwctl/lock/shop/prod"]);
}

/// No lock looks like a resource of the environment.
#[test]
fn a_lock_has_none_of_the_tags_of_what_is_owned() {
    let tags: BTreeMap<String, String> = somebody("one").tags();
    for key in ["gwctl:product", "gwctl:environment", "gwctl:address", "gwctl:digest"] {
        assert!(!tags.contains_key(key), "{key}");
    }
}
