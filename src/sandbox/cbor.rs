//! CBOR (RFC 8949) as Smithy's RPC v2 protocol uses it, to and from JSON values. Written here and not taken from the SDK, so
//! that the two check each other.

use serde_json::{Map, Number, Value};

/// Deeper than any input of a service here.
const DEEPEST: usize = 16;

/// Ends what has no length.
const BREAK: u8 = 0xff;

/// A value as CBOR. Members for which `is_time` holds are numbers of seconds since the epoch, and get the tag of a time.
pub(super) fn encode(value: &Value, is_time: fn(&str) -> bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, value, is_time);
    bytes
}

fn write(bytes: &mut Vec<u8>, value: &Value, is_time: fn(&str) -> bool) {
    match value {
        Value::Null => bytes.push(0xf6),
        Value::Bool(flag) => bytes.push(if *flag { 0xf5 } else { 0xf4 }),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(whole), _) => head(bytes, 0, whole),
            // -1 is written as 0, -2 as 1, and so on.
            (None, Some(below)) => head(bytes, 1, !below.cast_unsigned()),
            (None, None) => double(bytes, number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => write_text(bytes, text),
        Value::Array(items) => {
            head(bytes, 4, items.len() as u64);
            for item in items {
                write(bytes, item, is_time);
            }
        }
        Value::Object(members) => {
            head(bytes, 5, members.len() as u64);
            for (name, member) in members {
                write_text(bytes, name);
                match (member, is_time(name)) {
                    (Value::Number(seconds), true) => time(bytes, seconds),
                    (Value::Array(times), true) => {
                        head(bytes, 4, times.len() as u64);
                        times.iter().filter_map(Value::as_number).for_each(|seconds| time(bytes, seconds));
                    }
                    _ => write(bytes, member, is_time),
                }
            }
        }
    }
}

fn time(bytes: &mut Vec<u8>, seconds: &Number) {
    head(bytes, 6, 1);
    double(bytes, seconds.as_f64().unwrap_or_default());
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    head(bytes, 3, text.len() as u64);
    bytes.extend(text.as_bytes());
}

fn double(bytes: &mut Vec<u8>, number: f64) {
    bytes.push(0xfb);
    bytes.extend(number.to_be_bytes());
}

/// The type of an item in three bits, and its number or length in as few bytes as it needs.
fn head(bytes: &mut Vec<u8>, major: u8, number: u64) {
    let long = number.to_be_bytes();
    let (short, rest) = match number {
        0..=23 => (long[7], &long[8..]),
        24..=0xff => (24, &long[7..]),
        0x100..=0xffff => (25, &long[6..]),
        0x1_0000..=0xffff_ffff => (26, &long[4..]),
        _ => (27, &long[..]),
    };
    bytes.push(major << 5 | short);
    bytes.extend(rest);
}

/// The value that some bytes are, all of them.
pub(super) fn decode(bytes: &[u8]) -> Result<Value, String> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.value(0)?;
    if reader.at == bytes.len() { Ok(value) } else { Err(format!("more bytes behind the end at {}", reader.at)) }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], String> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("the body ends in the item at {}", self.at))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// Whether a list or a map without a length ends here; its end is read over.
    fn ends(&mut self) -> Result<bool, String> {
        let ends = self.byte()? == BREAK;
        self.at -= usize::from(!ends);
        Ok(ends)
    }

    /// The type of the next item, and its number or length if it has one.
    fn head(&mut self) -> Result<(u8, u8, Option<u64>), String> {
        let first = self.byte()?;
        let (major, short) = (first >> 5, first & 0x1f);
        let number = match short {
            0..=23 => Some(u64::from(short)),
            24..=27 => {
                let bytes = self.take(1 << (short - 24))?;
                Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
            }
            31 => None,
            _ => return Err(format!("unknown length {short} at {}", self.at)),
        };
        Ok((major, short, number))
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > DEEPEST {
            return Err(format!("nested too deep at {}", self.at));
        }
        let (major, short, number) = self.head()?;
        match (major, number) {
            (0, Some(number)) => Ok(number.into()),
            (1, Some(number)) => {
                i64::try_from(number).map(|number| (-1 - number).into()).map_err(|_| "a number too low".to_owned())
            }
            (3, length) => self.text(length).map(Value::String),
            (4, length) => self.list(length, depth),
            (5, length) => self.map(length, depth),
            // A tag says how the next item is meant, which its member says already.
            (6, Some(_)) => self.value(depth + 1),
            (7, Some(bits)) => simple(short, bits).ok_or_else(|| format!("unexpected value at {}", self.at)),
            _ => Err(format!("unexpected type {major} at {}", self.at)),
        }
    }

    fn text(&mut self, length: Option<u64>) -> Result<String, String> {
        let Some(length) = length else {
            let mut whole = String::new();
            while !self.ends()? {
                match self.head()? {
                    (3, _, Some(length)) => whole += &self.text(Some(length))?,
                    _ => return Err(format!("a text in parts with something else in it at {}", self.at)),
                }
            }
            return Ok(whole);
        };
        let bytes = self.take(usize::try_from(length).map_err(|_| "a text too long".to_owned())?)?;
        String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string())
    }

    fn list(&mut self, length: Option<u64>, depth: usize) -> Result<Value, String> {
        let mut items = Vec::new();
        while self.goes_on(length, items.len())? {
            items.push(self.value(depth + 1)?);
        }
        Ok(items.into())
    }

    fn map(&mut self, length: Option<u64>, depth: usize) -> Result<Value, String> {
        let (mut members, mut read) = (Map::new(), 0);
        while self.goes_on(length, read)? {
            let Value::String(name) = self.value(depth + 1)? else {
                return Err(format!("a member without a name at {}", self.at));
            };
            let value = self.value(depth + 1)?;
            members.insert(name, value);
            read += 1;
        }
        Ok(members.into())
    }

    fn goes_on(&mut self, length: Option<u64>, read: usize) -> Result<bool, String> {
        match length {
            Some(length) => Ok((read as u64) < length),
            None => self.ends().map(|ends| !ends),
        }
    }
}

/// Flags, nothing, and broken numbers of the two sizes that SDKs write.
fn simple(short: u8, bits: u64) -> Option<Value> {
    match (short, bits) {
        (20, _) => Some(false.into()),
        (21, _) => Some(true.into()),
        (22 | 23, _) => Some(Value::Null),
        (26, bits) => number(f32::from_bits(u32::try_from(bits).ok()?).into()),
        (27, bits) => number(f64::from_bits(bits)),
        _ => None,
    }
}

/// A number; JSON has none for infinity.
fn number(number: f64) -> Option<Value> {
    Number::from_f64(number).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_again() {
        let long = "x".repeat(300);
        let value = json!({
            "numbers": [0, 23, 24, 255, 256, 65_536, u64::MAX, -1, -24, -25, -1000, i64::MIN, 1.5, -0.25],
            "texts": ["", "é", long], "flags": [true, false, null], "empty": {}, "deep": [[[[{"a": []}]]]],
        });
        assert_eq!(decode(&encode(&value, |_| false)), Ok(value));
    }

    /// Examples of RFC 8949, appendix A.
    #[test]
    fn examples_of_the_standard_are_read() {
        for (bytes, expected) in [
            (&b"\x18\x64"[..], json!(100)),
            (b"\x1b\x00\x00\x00\xe8\xd4\xa5\x10\x00", json!(1_000_000_000_000_u64)),
            (b"\x39\x03\xe7", json!(-1000)),
            (b"\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a", json!(1.1)),
            (b"\xfa\x47\xc3\x50\x00", json!(100_000.0)),
            (b"\xc1\x1a\x51\x4b\x67\xb0", json!(1_363_896_240)),
            (b"\x64\x49\x45\x54\x46", json!("IETF")),
            (b"\x83\x01\x82\x02\x03\x82\x04\x05", json!([1, [2, 3], [4, 5]])),
            (b"\x7f\x65strea\x64ming\xff", json!("streaming")),
            (b"\x9f\x01\x82\x02\x03\x9f\x04\x05\xff\xff", json!([1, [2, 3], [4, 5]])),
            (b"\xbf\x61\x61\x01\x61\x62\x9f\x02\x03\xff\xff", json!({"a": 1, "b": [2, 3]})),
        ] {
            assert_eq!(decode(bytes), Ok(expected));
            for length in 0..bytes.len() {
                assert!(decode(&bytes[..length]).is_err(), "cut off at {length}: {bytes:x?}");
            }
        }
    }

    #[test]
    fn what_is_no_cbor_is_refused() {
        for bytes in [
            &b"\xff"[..],
            b"\x1c",
            b"\x01\x02",
            b"\x41\x00",
            b"\xa1\x01\x02",
            b"\x7f\x01\xff",
            b"\x62\xc3\x28",
            b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00",
        ] {
            assert!(decode(bytes).is_err(), "{bytes:x?}");
        }
        assert!(decode(&vec![0x81; 100_000]).is_err());
    }
}
