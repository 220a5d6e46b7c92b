//! `gwctl logs`: the access logs of an environment, decoded by the format that each stage writes by; or a function's log.

use std::time::Duration;

use jiff::Timestamp;

use super::code::Code;
use super::output::{data_while_read, notice, text_options};
use super::sandbox::interrupted;
use super::work::{Lookups, Work, begin_all, load};
use crate::aws::{ReadAws, log_lines};
use crate::cli::{Global, LogsOptions};
use crate::config::GatewayStack;
use crate::error::{Failure, FailureKind, Result, exit};
use crate::inspection::access_log::{Filter, Format, HISTORY, Tail};
use crate::kinds::Kind as _;
use crate::kinds::Scope;
use crate::kinds::http_stage::HttpStage;
use crate::kinds::stage::Stage;
use crate::model::{Address, Observed};
use crate::report::{self, LogLine};

/// How often a log is asked for what is new. `FilterLogEvents` is granted ten times a second in most Regions (`CloudWatch` Logs
/// quotas), to the whole account.
const ROUND: Duration = Duration::from_secs(2);

/// One log group that is read.
struct Source {
    label: String,
    group: String,
    read: ReadAws,
    decoder: Option<Decoder>,
    tail: Tail,
}

/// What the lines of a group are written by.
struct Decoder {
    format: Format,
    stages: Vec<String>,
}

/// Runs the command: to the end of the logs, or until Ctrl-C.
pub(super) async fn run(global: &Global, options: &LogsOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let members = begin_all(global, &configuration, Code::of_none(&configuration), Lookups::Open).await?;
    if members.iter().any(|member| member.owner != members[0].owner) {
        return Err(Failure::new(FailureKind::Usage, "logs are read of one environment, and several are selected")
            .hint("name one --product and one --env"));
    }
    let start = options.since.start(Timestamp::now());
    let mut sources = Vec::new();
    for member in members {
        let work = member.work?;
        sources.extend(sources_of(&work, options, start).await?);
    }
    if sources.is_empty() {
        let what = options
            .function
            .as_deref()
            .map_or("stage that logs requests".to_owned(), |name| format!("function `{name}`"));
        let label = configuration.environments.first().map(|one| crate::stack::owner(one).to_string());
        return Err(Failure::new(FailureKind::Usage, format!("{} has no {what}", label.unwrap_or_default()))
            .hint("look at what is there: `gwctl show`"));
    }
    let shown = Shown { global, options, filter: filter(options), labels: sources.len() > 1 };
    let reading = async {
        loop {
            if !shown.look(&mut sources).await? || !options.follow {
                return Ok::<_, Failure>(());
            }
            tokio::time::sleep(ROUND).await;
        }
    };
    tokio::select! {
        read = reading => read?,
        () = interrupted(), if options.follow => {}
    }
    Ok(exit::DONE)
}

fn filter(options: &LogsOptions) -> Filter {
    Filter {
        statuses: options.status.clone(),
        path: options.path.clone(),
        latency: options.latency,
        request_id: options.request_id.clone(),
        method: options.method.clone(),
    }
}

/// The live resources of a kind that are the environment's own.
async fn own(work: &Work, kind: &str) -> Result<Vec<Observed>> {
    let wanted = work.desired.iter().filter(|one| one.address.kind() == kind).map(|one| crate::kinds::Wanted {
        address: one.address.clone(),
        name: one.name().map(str::to_owned),
        spec: one.spec.clone(),
    });
    let scope = Scope { owner: work.owner.clone(), wanted: wanted.collect() };
    let all = work.registry.kind(kind)?.observe(&work.aws.read, &scope).await?;
    let here = |address: &Address| address.region().is_none_or(|region| region == work.place.region);
    Ok(all.into_iter().filter(|one| one.address().is_some_and(here)).collect())
}

async fn sources_of(work: &Work, options: &LogsOptions, start: i64) -> Result<Vec<Source>> {
    work.aws.read.check_account().await?;
    let source = |address: &Address, group: String, decoder| Source {
        label: address.stack().to_owned(),
        group,
        read: work.aws.read.anew(),
        decoder,
        tail: Tail::new(start),
    };
    let of_stack = |address: &Address| {
        let wanted = options.stack.map(|stack| GatewayStack::from(stack).name());
        wanted.is_none_or(|stack| address.stack() == stack)
    };
    let mut found: Vec<Source> = Vec::new();
    if let Some(name) = &options.function {
        for one in own(work, "lambda-function").await? {
            if let Some(address) = one.address().filter(|at| at.name() == name && of_stack(at)) {
                found.push(source(address, format!("/aws/lambda/{}", one.name), None));
            }
        }
        return Ok(found);
    }
    for kind in [Stage::NAME, HttpStage::NAME] {
        for one in own(work, kind).await? {
            let Some(address) = one.address().filter(|at| of_stack(at)) else { continue };
            let text = |pointer: &str| one.spec.pointer(pointer).and_then(serde_json::Value::as_str);
            let (Some(arn), Some(format)) = (text("/access_log/destination"), text("/access_log/format")) else {
                continue;
            };
            let group = arn.split_once(":log-group:").map(|(_, group)| group.trim_end_matches(":*").to_owned());
            let group = group.ok_or_else(|| {
                Failure::new(FailureKind::Usage, format!("{address} does not log to a log group: {arn}"))
                    .hint("read the log where it goes, such as the bucket behind a Firehose stream")
            })?;
            // The APIs of an edge write into one log.
            let same = found.iter_mut().find(|source| source.group == group && source.read.place == work.place);
            if let Some(Source { decoder: Some(decoder), .. }) = same {
                decoder.stages.push(one.name.clone());
            } else {
                let decoder = Decoder { format: Format::parse(format), stages: vec![one.name.clone()] };
                found.push(source(address, group, Some(decoder)));
            }
        }
    }
    Ok(found)
}

/// How lines are shown, and which.
struct Shown<'a> {
    global: &'a Global,
    options: &'a LogsOptions,
    filter: Filter,
    labels: bool,
}

impl Shown<'_> {
    /// Reads what is new in each log and shows it: of one log page by page, of several in the order of the times. False when
    /// nobody reads what is shown any more.
    async fn look(&self, sources: &mut [Source]) -> Result<bool> {
        let alone = sources.len() == 1;
        let mut waiting = Vec::new();
        for source in sources {
            let from = source.tail.next_look(Timestamp::now().as_millisecond());
            let mut next = None;
            loop {
                let (events, token) = log_lines::page(&source.read, &source.group, from, next).await?;
                for event in events {
                    if source.tail.is_new(&event.id, event.time) && !event.stream.starts_with(HISTORY) {
                        waiting.extend(self.wanted(source, event));
                    }
                }
                if alone && !self.write(&std::mem::take(&mut waiting))? {
                    return Ok(false);
                }
                match token {
                    Some(token) => next = Some(token),
                    None => break,
                }
            }
        }
        waiting.sort_by_key(|line| line.time);
        self.write(&waiting)
    }

    fn wanted(&self, source: &Source, event: log_lines::LogEvent) -> Option<LogLine> {
        let mut line = LogLine {
            label: self.labels.then(|| source.label.clone()),
            group: source.group.clone(),
            stream: event.stream,
            id: event.id,
            time: event.time,
            message: event.message,
            decoded: None,
            foreign: false,
        };
        let Some(decoder) = &source.decoder else {
            // A function writes the id of its request into its lines.
            let about = self.options.request_id.as_ref();
            return about.is_none_or(|id| line.message.contains(id.as_str())).then_some(line);
        };
        line.decoded = decoder.format.decode(&line.message);
        line.foreign = line.decoded.is_none();
        // Of a line that can't be read nobody can say that it is not wanted.
        let wanted =
            line.decoded.as_ref().is_none_or(|read| decoder.stages.iter().any(|stage| self.filter.wants(read, stage)));
        wanted.then_some(line)
    }

    fn write(&self, lines: &[LogLine]) -> Result<bool> {
        if lines.is_empty() {
            return Ok(true);
        }
        let (foreign, options) = (lines.iter().filter(|line| line.foreign).count(), text_options(self.global));
        let read = data_while_read(self.global, |out| {
            for line in lines {
                if self.options.raw {
                    report::log_line_raw(line, out)?;
                } else if self.global.output == report::Format::Json {
                    writeln!(out, "{}", report::log_line_json(line))?;
                } else {
                    report::log_line_text(line, out, &options)?;
                }
            }
            Ok(())
        })?;
        if foreign > 0 && !self.options.raw && self.global.output != report::Format::Json {
            let lines = if foreign == 1 { "1 line does" } else { &format!("{foreign} lines do") };
            notice(self.global, |out| {
                writeln!(out, "note: {lines} not fit the stage's format; `?` marks what is shown as it is")
            })?;
        }
        Ok(read)
    }
}
