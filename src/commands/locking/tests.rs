use aws_credential_types::Credentials;

use super::*;
use crate::aws::Connection;
use crate::error::FailureKind;
use crate::lock::RENEWED_EVERY;
use crate::model::Place;
use crate::sandbox::Sandbox;
use crate::sandbox::connector::Connector;

async fn session() -> Aws {
    let place = Place { account: "111122223333".into(), region: "eu-west-1".into(), partition: "aws".into() };
    let credentials = Credentials::new(&place.account, "sandbox", None, None, "sandbox");
    let transport = Some((Connector::new(Sandbox::in_memory()).client(), credentials));
    let connection = Connection { region: place.region.clone(), transport, ..Connection::default() };
    connection.open(&place).await.unwrap()
}

fn owner() -> Owner {
    Owner { product: "shop".into(), environment: "prod".into() }
}

fn by(host: &str) -> Origin {
    Origin { host: host.into(), ..Origin::default() }
}

fn wanted(by: &Origin) -> Wanted<'_> {
    Wanted { purpose: "apply", by, patience: Duration::ZERO }
}

async fn is_locked(aws: &Aws) -> bool {
    lock::holder(&aws.read, &owner()).await.unwrap().is_some()
}

#[tokio::test(start_paused = true)]
async fn it_is_held_while_work_goes_on_and_no_longer() {
    let shop = owner();
    let (aws, me, (_user, interrupt)) = (session().await, by("me"), watch::channel(false));
    let held = under_lock(&aws, &shop, wanted(&me), interrupt.clone(), &drop, async |ended| {
        assert!(!*ended.borrow());
        let refused = under_lock(&aws, &shop, wanted(&me), interrupt.clone(), &drop, async |_| ()).await;
        let refused = refused.err().expect("it is held");
        assert_eq!(refused.kind(), FailureKind::Refused);
        sleep(RENEWED_EVERY * 60).await;
        is_locked(&aws).await
    });
    let held = held.await.unwrap();
    assert_eq!((held.came, held.lost.is_some(), held.kept.is_some()), (Some(true), false, false));
    assert!(!is_locked(&aws).await);
}

#[tokio::test(start_paused = true)]
async fn work_ends_when_the_user_wants_it_and_the_lock_is_given_back_then() {
    let shop = owner();
    let (aws, me, (user, interrupt)) = (session().await, by("me"), watch::channel(false));
    let held = under_lock(&aws, &shop, wanted(&me), interrupt, &drop, async |mut ended| {
        user.send(true).unwrap();
        ended.wait_for(|ended| *ended).await.unwrap();
        is_locked(&aws).await
    });
    let held = held.await.unwrap();
    assert!(held.came == Some(true) && held.lost.is_none());
    assert!(!is_locked(&aws).await);
}

#[tokio::test(start_paused = true)]
async fn work_ends_when_the_lock_is_lost() {
    let shop = owner();
    let (aws, me, (_user, interrupt)) = (session().await, by("me"), watch::channel(false));
    let held = under_lock(&aws, &shop, wanted(&me), interrupt, &drop, async |mut ended| {
        let holder = lock::holder(&aws.read, &owner()).await.unwrap().unwrap();
        assert!(lock::take_away(&aws, &owner(), &holder).await.unwrap());
        ended.wait_for(|ended| *ended).await.unwrap();
    });
    let held = held.await.unwrap();
    assert!(held.came.is_some() && held.lost.unwrap().to_string().contains("taken away"));
}

#[tokio::test(start_paused = true)]
async fn who_was_done_before_it_noticed_that_its_lock_was_gone_learns_it() {
    let shop = owner();
    let (aws, me, (_user, interrupt)) = (session().await, by("me"), watch::channel(false));
    let held = under_lock(&aws, &shop, wanted(&me), interrupt, &drop, async |ended| {
        let holder = lock::holder(&aws.read, &owner()).await.unwrap().unwrap();
        assert!(lock::take_away(&aws, &owner(), &holder).await.unwrap());
        *ended.borrow()
    });
    let held = Box::pin(held).await.unwrap();
    assert_eq!((held.came, held.kept.is_some()), (Some(false), false));
    assert!(held.lost.unwrap().to_string().contains("taken away"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_leaves_no_lock() {
    let shop = owner();
    let (aws, me, (_user, interrupt)) = (session().await, by("me"), watch::channel(false));
    let work = under_lock(&aws, &shop, wanted(&me), interrupt, &drop, async |_| panic!("a fault"));
    let came: Result<Held<()>> = work.await;
    assert!(came.err().unwrap().to_string().contains("panicked"));
    assert!(!is_locked(&aws).await);
}

#[tokio::test(start_paused = true)]
async fn it_is_waited_for_as_long_as_one_wants_to() {
    let shop = owner();
    let (aws, me, (user, interrupt)) = (session().await, by("me"), watch::channel(false));
    let theirs = Holder::new("destroy", by("other"), Timestamp::now());
    let Taken::Ours { lock: theirs, .. } = lock::take(&aws, &owner(), theirs).await.unwrap() else { panic!("free") };
    let said = Mutex::new(Vec::new());
    let tell = |message| said.lock().unwrap().push(message);
    let patient = |seconds| Wanted { patience: Duration::from_secs(seconds), ..wanted(&me) };

    let (begun, impatient) = (Instant::now(), patient(10));
    let refused = under_lock(&aws, &shop, impatient, interrupt.clone(), &tell, async |_| ()).await.err().unwrap();
    assert!(refused.causes()[0].contains("destroy by somebody (other"), "{refused}");
    assert_eq!(begun.elapsed().as_secs(), 10);
    assert_eq!(said.lock().unwrap().len(), 1, "said once, not every time it looks");

    let wait = under_lock(&aws, &shop, patient(600), interrupt.clone(), &tell, async |_| ());
    let give = async {
        sleep(Duration::from_mins(5)).await;
        theirs.give_back().await.unwrap();
    };
    let (held, ()) = futures::join!(wait, give);
    assert!(held.unwrap().came.is_some());

    // Whoever waits may stop waiting.
    let theirs = Holder::new("destroy", by("other"), Timestamp::now());
    lock::take(&aws, &owner(), theirs).await.unwrap();
    let wait = under_lock(&aws, &shop, patient(600), interrupt, &tell, async |_| ());
    let interrupt = async {
        sleep(Duration::from_secs(5)).await;
        user.send(true).unwrap();
    };
    let (held, ()) = futures::join!(wait, interrupt);
    assert!(held.unwrap().came.is_none());
    assert!(is_locked(&aws).await, "theirs");
}
