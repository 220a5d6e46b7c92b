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

/// A succession that died half-way keeps others out until somebody looks.
#[tokio::test(start_paused = true)]
async fn a_succession_that_was_cut_off_is_taken_away_with_the_lock() {
    let aws = session(&Sandbox::in_memory()).await;
    let dead = taken(&aws, gone("dead")).await.unwrap();
    let succession = lock::succession(&owner(), &dead.holder().token);
    make(&aws.write.logs, &succession, &somebody("heir")).await.unwrap();
    assert_eq!(taken(&aws, somebody("third")).await.unwrap_err(), "dead");
    assert!(take_away(&aws, &owner(), dead.holder()).await.unwrap());
    assert_eq!(groups(&aws).await, [""; 0]);
    assert!(!take_away(&aws, &owner(), dead.holder()).await.unwrap());
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
    assert!((HELD_BLINDLY..HELD_BLINDLY + Duration::from_mins(3)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
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
