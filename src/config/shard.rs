//! A share of the environments, for runs that divide a fleet among them.

use std::fmt;
use std::str::FromStr;

use super::Environment;

/// The variable in which a Kubernetes Indexed Job tells each of its pods its index, from 0.
const JOB_INDEX: &str = "JOB_COMPLETION_INDEX";

/// Every `count`th environment from the `index`th on. The environments are counted by product and name, so that a share stays the
/// same as long as none is added or removed; the Regions of one environment stay together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// Keeps the share of environments that stand in their usual order.
    pub fn keep(self, environments: &mut Vec<Environment>) {
        let mut number = None;
        let mut last: Option<(String, String)> = None;
        environments.retain(|one| {
            let here = (one.product.clone(), one.name.clone());
            if last.as_ref() != Some(&here) {
                number = Some(number.map_or(0, |number: usize| number + 1));
                last = Some(here);
            }
            number.is_some_and(|number| number % self.count == self.index)
        });
    }

    fn read(text: &str, job_index: Option<&str>) -> Result<Self, String> {
        let form = || "write INDEX/COUNT, such as 0/4, or /4 in a Kubernetes Indexed Job".to_owned();
        let (index, count) = text.split_once('/').ok_or_else(form)?;
        let index = match (index, job_index) {
            ("", None) => return Err(format!("`{text}` needs {JOB_INDEX}, and it is not set; {}", form())),
            ("", Some(index)) | (index, _) => index.parse::<usize>().map_err(|_| form())?,
        };
        let count = count.parse::<usize>().ok().filter(|count| *count > 0).ok_or_else(form)?;
        if index >= count {
            return Err(format!("there is no share {index} of {count}: the first is 0, the last {}", count - 1));
        }
        Ok(Self { index, count })
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(text, std::env::var(JOB_INDEX).ok().as_deref())
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn shares_are_written_in_two_ways() {
        assert_eq!(Shard::read("1/4", None), Ok(Shard { index: 1, count: 4 }));
        assert_eq!(Shard::read("/4", Some("3")), Ok(Shard { index: 3, count: 4 }));
        assert_eq!(Shard::read("2/4", Some("3")).unwrap().to_string(), "2/4");
        for wrong in ["", "1", "a/4", "1/0", "4/4", "-1/4", "1/4/2", "/4"] {
            assert!(Shard::read(wrong, None).is_err(), "{wrong}");
        }
        assert!(Shard::read("/4", Some("4")).unwrap_err().contains("no share 4 of 4"));
    }

    #[test]
    fn every_environment_is_in_one_share() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let all = crate::config::load_selected(root, &[], &[], true).unwrap().environments;
        let mut seen = Vec::new();
        for index in 0..3 {
            let mut share = all.clone();
            Shard { index, count: 3 }.keep(&mut share);
            assert!(share.len().abs_diff(all.len() / 3) <= 1, "{}", share.len());
            seen.extend(share.into_iter().map(|one| (one.product, one.name)));
        }
        seen.sort();
        let mut names: Vec<_> = all.into_iter().map(|one| (one.product, one.name)).collect();
        names.sort();
        assert_eq!(seen, names);
    }
}
