//! The sandbox's state on disk: whole or not at all, and shared by every gwctl that has the folder open.
//!
//! | file | what |
//! |---|---|
//! | `state.json` | two lines of JSON: a head (format, generation, writer), and the world |
//! | `blobs/SHA256` | the zips of functions |
//! | `lock` | held while a call that may change something runs |
//!
//! The head is on a line of its own so that "did another process write?" costs reading a hundred bytes, and so that a
//! newer format is recognised before its world is parsed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::world::World;
use crate::error::{Failure, FailureKind, Result};

/// The version of the format. Raise it when an older gwctl could not read what this one writes.
const FORMAT: u32 = 1;

/// More bytes than a head can have.
const HEAD_LIMIT: u64 = 512;

/// The first line of the state.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: u32,
    /// Counts the writes.
    generation: u64,
    /// Tells apart two writers that both began anew in a folder that was emptied in between.
    writer: String,
}

/// What is known of the state on disk.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// Nothing; read it.
    Unknown,
    /// There was none.
    Absent,
    /// Its first line was this.
    Head(Vec<u8>),
}

/// One folder that holds a world.
#[derive(Debug)]
pub(crate) struct Store {
    dir: PathBuf,
    seen: Seen,
    generation: u64,
    /// The world as last read or written; a call that changed nothing is told by it.
    last: Vec<u8>,
    /// The code that the world on disk refers to.
    code: BTreeSet<String>,
    writer: String,
}

impl Store {
    /// Opens a folder, and reads the world in it.
    pub(crate) fn open(dir: &Path) -> Result<(Self, World)> {
        fs::create_dir_all(dir).map_err(|error| io("failed to make the sandbox's folder", dir, &error))?;
        let born = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos());
        let mut store = Self {
            dir: dir.to_owned(),
            seen: Seen::Unknown,
            generation: 0,
            last: Vec::new(),
            code: BTreeSet::new(),
            writer: format!("{}-{born}", std::process::id()),
        };
        let mut world = World::default();
        store.refresh(&mut world)?;
        Ok((store, world))
    }

    /// Keeps other processes from writing until the returned file is dropped.
    pub(crate) fn lock(&self) -> Result<File> {
        // Somebody may have removed the folder to begin anew while this process runs.
        fs::create_dir_all(&self.dir).map_err(|error| io("failed to make the sandbox's folder", &self.dir, &error))?;
        let path = self.dir.join("lock");
        let open = File::options().create(true).write(true).truncate(false).open(&path);
        let file = open.map_err(|error| io("failed to open the sandbox's lock", &path, &error))?;
        file.lock().map_err(|error| io("failed to lock the sandbox", &path, &error))?;
        Ok(file)
    }

    /// Reads the world again if somebody else wrote it since, and says whether somebody did.
    pub(crate) fn refresh(&mut self, world: &mut World) -> Result<bool> {
        let path = self.state();
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let gone = self.seen != Seen::Absent;
                if gone {
                    *world = World::default();
                    (self.seen, self.generation, self.last) = (Seen::Absent, 0, Vec::new());
                    self.code.clear();
                }
                return Ok(gone);
            }
            Err(error) => return Err(unreadable(&path, &error)),
        };
        let mut content = Vec::new();
        (&file).take(HEAD_LIMIT).read_to_end(&mut content).map_err(|error| unreadable(&path, &error))?;
        if let (Seen::Head(seen), Some((head, _))) = (&self.seen, split(&content))
            && seen.as_slice() == head
        {
            return Ok(false);
        }
        file.read_to_end(&mut content).map_err(|error| unreadable(&path, &error))?;
        self.load(&content, world)?;
        Ok(true)
    }

    /// Writes the world, if it is another than the one on disk.
    pub(crate) fn commit(&mut self, world: &mut World) -> Result<()> {
        let text = serde_json::to_vec(world)
            .map_err(|error| Failure::internal("failed to write the sandbox's state as JSON").because(&error))?;
        if text == self.last {
            world.blobs.clear();
            return Ok(());
        }
        self.write(world, &text).inspect_err(|_| self.distrust())?;
        self.last = text;
        Ok(())
    }

    /// Forgets what is known of the disk, so that the next call reads it.
    pub(crate) fn distrust(&mut self) {
        self.seen = Seen::Unknown;
    }

    /// Code by its digest.
    pub(crate) fn code(&self, digest: &str) -> Result<Option<Bytes>> {
        // The digest comes from a URL: nothing but hexadecimal digits may become part of a path.
        if digest.is_empty() || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let path = self.dir.join("blobs").join(digest);
        match fs::read(&path) {
            Ok(code) => Ok(Some(code.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io("failed to read the code of a function", &path, &error)),
        }
    }

    fn state(&self) -> PathBuf {
        self.dir.join("state.json")
    }

    fn load(&mut self, content: &[u8], world: &mut World) -> Result<()> {
        let path = self.state();
        let (head, body) = split(content).ok_or_else(|| damaged(&path, "the file has no first line"))?;
        let parsed: Head = serde_json::from_slice(head)
            .map_err(|error| damaged(&path, &format!("the first line is no head of a sandbox: {error}")))?;
        if parsed.format != FORMAT {
            let text = format!("the sandbox's state {} has format {}", path.display(), parsed.format);
            return Err(Failure::new(FailureKind::Io, text)
                .cause(format!("this gwctl knows format {FORMAT}"))
                .hint("use the gwctl that wrote it, or another folder: `--sandbox=DIR`"));
        }
        *world = serde_json::from_slice(body).map_err(|error| damaged(&path, &error.to_string()))?;
        self.code = world.code_in_use();
        self.generation = parsed.generation;
        self.seen = Seen::Head(head.to_vec());
        self.last = body.strip_suffix(b"\n").unwrap_or(body).to_vec();
        Ok(())
    }

    fn write(&mut self, world: &mut World, text: &[u8]) -> Result<()> {
        // Code first: a state that refers to code that is not there would be a damaged one.
        let code = world.code_in_use();
        for (digest, blob) in &world.blobs {
            let path = self.dir.join("blobs").join(digest);
            if code.contains(digest) && !path.exists() {
                replace(&path, &[blob])?;
            }
        }
        world.blobs.clear();
        let head = Head { format: FORMAT, generation: self.generation + 1, writer: self.writer.clone() };
        let head = serde_json::to_vec(&head)
            .map_err(|error| Failure::internal("failed to write the sandbox's state as JSON").because(&error))?;
        replace(&self.state(), &[&head, b"\n", text, b"\n"])?;
        self.seen = Seen::Head(head);
        self.generation += 1;
        for digest in self.code.difference(&code) {
            // Code that nothing refers to costs a file; failing to remove it costs no more.
            let _ = fs::remove_file(self.dir.join("blobs").join(digest));
        }
        self.code = code;
        Ok(())
    }
}

/// The first line, and what follows.
fn split(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = content.iter().position(|byte| *byte == b'\n')?;
    Some((&content[..end], &content[end + 1..]))
}

/// Replaces a file so that a crash leaves the old or the new one, never a part.
fn replace(path: &Path, parts: &[&[u8]]) -> Result<()> {
    let parent = path.parent().unwrap_or(Path::new("."));
    // The lock is held, so nobody else writes under this name.
    let temporary = path.with_extension("new");
    let work = || -> std::io::Result<()> {
        fs::create_dir_all(parent)?;
        let mut file = File::create(&temporary)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        // The name is durable only once the folder is.
        File::open(parent)?.sync_all()
    };
    work().map_err(|error| io("failed to write the sandbox's state", path, &error))
}

fn io(doing: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::io(format!("{doing} ({})", path.display()), error)
        .hint("the sandbox needs a folder it can write to; name another one with `--sandbox=DIR`")
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    io("failed to read the sandbox's state", path, error)
}

fn damaged(path: &Path, why: &str) -> Failure {
    let path = path.display();
    Failure::new(FailureKind::Io, format!("the sandbox's state {path} is damaged"))
        .cause(why)
        .hint(format!("it is left as it is; to begin anew, move it away: `mv {path} {path}.damaged`"))
        .hint("or use another folder: `--sandbox=DIR`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(dir: &Path, account: &str) -> Result<()> {
        let (mut store, mut world) = Store::open(dir)?;
        let _lock = store.lock()?;
        store.refresh(&mut world)?;
        world.accounts.entry(account.to_owned()).or_default();
        store.commit(&mut world)
    }

    #[test]
    fn another_process_sees_what_was_written_and_nothing_is_read_twice() {
        let dir = tempfile::tempdir().unwrap();
        let (mut reader, mut seen) = Store::open(dir.path()).unwrap();
        change(dir.path(), "111111111111").unwrap();
        reader.refresh(&mut seen).unwrap();
        assert!(seen.accounts.contains_key("111111111111"));
        // A mark that only a reload would remove.
        seen.ids = 77;
        reader.refresh(&mut seen).unwrap();
        assert_eq!(seen.ids, 77);
        fs::remove_dir_all(dir.path()).unwrap();
        reader.refresh(&mut seen).unwrap();
        assert!(seen.accounts.is_empty(), "a removed folder is an empty sandbox");
    }

    #[test]
    fn a_call_that_changed_nothing_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        change(dir.path(), "111111111111").unwrap();
        let before = fs::read(dir.path().join("state.json")).unwrap();
        change(dir.path(), "111111111111").unwrap();
        assert_eq!(fs::read(dir.path().join("state.json")).unwrap(), before);
    }

    #[test]
    fn writers_side_by_side_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let dir = dir.path();
                scope.spawn(move || {
                    for number in 0..5 {
                        change(dir, &format!("{thread}{number}")).unwrap();
                    }
                });
            }
        });
        assert_eq!(Store::open(dir.path()).unwrap().1.accounts.len(), 20);
    }

    #[test]
    fn damaged_and_newer_states_are_refused_and_left_alone() {
        for (content, words) in [
            ("", "no first line"),
            ("{\"format\":1,\"generation\":1,\"writer\":\"x\"}\n{\"accounts\":{", "EOF"),
            ("{\"format\":9,\"generation\":1,\"writer\":\"x\"}\n{}", "format 9"),
            ("hello\n{}", "no head"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("state.json");
            fs::write(&path, content).unwrap();
            let failure = Store::open(dir.path()).unwrap_err();
            assert!(failure.to_string().contains(words), "{failure}");
            assert!(failure.hints().iter().any(|hint| hint.contains("--sandbox=DIR")));
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[test]
    fn code_is_never_read_outside_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        change(dir.path(), "111111111111").unwrap();
        let (store, _) = Store::open(dir.path()).unwrap();
        assert!(store.code("../state.json").unwrap().is_none());
        assert!(store.code("").unwrap().is_none());
    }
}
