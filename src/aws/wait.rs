//! Waits for what AWS makes ready in its own time: network interfaces, VPC links, certificates, a new role. They end when the user
//! wants the work to end.
//!
//! What such a wait is in the midst of stands in AWS already, or goes from it by itself: the next apply waits for the rest of it. Calls are
//! not cut off, nor waits between a call and those that make it whole.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::error::{Failure, FailureKind, Result};

tokio::task_local! {
    static ENDED: watch::Receiver<bool>;
}

/// Does work whose waits end when `ended` turns true.
pub async fn ending<F: Future>(ended: watch::Receiver<bool>, work: F) -> F::Output {
    ENDED.scope(ended, work).await
}

/// Returns when it turns true; never when nobody is left to say so.
pub async fn told(ended: &mut watch::Receiver<bool>) {
    if ended.wait_for(|ended| *ended).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits so long, or fails because the user wants the work to end.
///
/// # Errors
///
/// [`FailureKind::Interrupted`].
pub async fn pause(duration: Duration) -> Result<()> {
    let Ok(mut ended) = ENDED.try_with(Clone::clone) else {
        sleep(duration).await;
        return Ok(());
    };
    tokio::select! {
        () = sleep(duration) => Ok(()),
        () = told(&mut ended) => Err(Failure::new(FailureKind::Interrupted, "interrupted while it waited for AWS")),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_its_time_or_with_the_work() {
        let minute = Duration::from_mins(1);
        let begun = Instant::now();
        pause(minute).await.unwrap();
        let (user, ended) = watch::channel(false);
        let waiting = ending(ended.clone(), async {
            pause(minute).await?;
            pause(minute).await
        });
        let later = async {
            sleep(minute + minute / 2).await;
            user.send_replace(true);
        };
        let (waited, ()) = futures::join!(waiting, later);
        assert_eq!(waited.unwrap_err().kind(), FailureKind::Interrupted);
        assert_eq!(begun.elapsed(), minute * 5 / 2);
        drop(user);
        // It was told, whoever told it is gone.
        assert!(ending(ended, pause(minute)).await.is_err());
        let (_, nobody) = watch::channel(false);
        ending(nobody, pause(minute)).await.unwrap();
    }
}
