//! The Java methods that templates call on their values. One that does not exist gives nothing, as in Velocity.

use std::sync::Arc;

use super::cursor::Fault;
use super::render::{Renderer, place};
use super::value::Value;

impl Renderer<'_> {
    pub(super) fn call(&mut self, value: &Value, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
        match (name, arguments) {
            ("equals", [other]) => return Ok(Value::Bool(self.equal(value, other)?)),
            ("toString", []) if !matches!(value, Value::Null | Value::Context(_)) => {
                return self.string(value).map(Value::Text);
            }
            _ => {}
        }
        match value {
            Value::Input => self.input(name, arguments),
            Value::Util => self.util(name, arguments),
            Value::Text(text) => self.call_text(text, name, arguments),
            Value::List(list) => self.call_list(*list, name, arguments),
            Value::Map(map) => self.call_map(*map, name, arguments),
            Value::StageVariables => {
                let variables = self.variables;
                let map = self.strings(variables.stage_variables())?;
                self.call(&map, name, arguments)
            }
            Value::Context(path) => self.call_context(path, name, arguments),
            Value::Int(_) | Value::Double(_) => self.call_number(value, name, arguments),
            Value::Loop(_) if arguments.is_empty() => {
                // `$foreach.hasNext()` and the getter behind `$foreach.index`.
                let name = name.strip_prefix("get").map_or_else(|| name.to_owned(), str::to_ascii_lowercase);
                self.index(value, &name.into())
            }
            _ => Ok(Value::Null),
        }
    }

    /// A method on something below `$context`: on the variable, if it is one, else on the map of what is below it.
    fn call_context(&mut self, path: &str, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
        let value = self.context(path);
        if !matches!(value, Value::Null) {
            return self.call(&value, name, arguments);
        }
        if let ("get", [key]) = (name, arguments) {
            let key = self.string(key)?;
            return Ok(self.context(&format!("{path}.{key}")));
        }
        let variables = self.variables;
        let members = variables.context_members(path);
        if members.is_empty() && !matches!(name, "keySet" | "entrySet" | "values" | "size" | "isEmpty" | "containsKey")
        {
            return Ok(Value::Null);
        }
        let map = self.strings(members)?;
        self.call(&map, name, arguments)
    }

    fn call_number(&mut self, value: &Value, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
        let argument = match arguments {
            [argument] => Some(self.string(argument)?),
            _ => None,
        };
        Ok(match (value, name, argument.as_deref().map(str::trim)) {
            // The trick of templates that have no other way to a number: `#set($Integer = 0)$Integer.parseInt("5")`.
            (Value::Int(_), "parseInt" | "parseLong" | "valueOf", Some(text)) => {
                Value::Int(text.parse().map_err(|_| self.fault(format!("`{text}` is no whole number")))?)
            }
            (Value::Double(_), "parseDouble" | "valueOf", Some(text)) => {
                Value::Double(text.parse().map_err(|_| self.fault(format!("`{text}` is no number")))?)
            }
            (Value::Int(value), "intValue" | "longValue", None) => Value::Int(*value),
            #[expect(clippy::cast_precision_loss, reason = "Java widens so too")]
            (Value::Int(value), "doubleValue", None) => Value::Double(*value as f64),
            #[expect(clippy::cast_possible_truncation, reason = "Java cuts so too")]
            (Value::Double(value), "intValue" | "longValue", None) => Value::Int(*value as i64),
            (Value::Double(value), "doubleValue", None) => Value::Double(*value),
            _ => Value::Null,
        })
    }

    fn call_list(&mut self, list: usize, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
        let length = self.heap.items(list).len();
        Ok(match (name, arguments) {
            // The reference's own example counts with `count()`.
            ("size" | "count" | "length", []) => Value::count(length),
            ("isEmpty", []) => Value::Bool(length == 0),
            ("get", [index]) => return self.index(&Value::List(list), index),
            ("contains", [item]) => Value::Bool(self.place_of(list, item)?.is_some()),
            ("indexOf", [item]) => self.place_of(list, item)?.map_or(Value::Int(-1), Value::count),
            _ => return self.change_list(list, length, name, arguments),
        })
    }

    /// The methods that change a list.
    fn change_list(&mut self, list: usize, length: usize, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
        Ok(match (name, arguments) {
            ("add", [item]) => {
                self.change(list, |items| items.push(item.clone()));
                Value::Bool(true)
            }
            ("add", [Value::Int(index), item]) => {
                let at = place(*index, length).filter(|at| *at <= length);
                let at = at.ok_or_else(|| self.fault("the index is outside the list"))?;
                self.work(length - at)?;
                self.change(list, |items| items.insert(at, item.clone()));
                Value::Null
            }
            ("addAll", [Value::List(other)]) => {
                let added = self.heap.items(*other).to_vec();
                self.work(added.len())?;
                let changed = !added.is_empty();
                self.change(list, |items| items.extend(added));
                Value::Bool(changed)
            }
            ("set", [Value::Int(index), item]) => {
                let at = place(*index, length).filter(|at| *at < length);
                let at = at.ok_or_else(|| self.fault("the index is outside the list"))?;
                self.change(list, |items| std::mem::replace(&mut items[at], item.clone())).unwrap_or(Value::Null)
            }
            ("remove", [Value::Int(index)]) => {
                let at = place(*index, length).filter(|at| *at < length);
                let at = at.ok_or_else(|| self.fault("the index is outside the list"))?;
                self.work(length - at)?;
                self.change(list, |items| items.remove(at)).unwrap_or(Value::Null)
            }
            ("remove", [item]) => match self.place_of(list, item)? {
                Some(at) => {
                    self.change(list, |items| items.remove(at));
                    Value::Bool(true)
                }
                None => Value::Bool(false),
            },
            ("clear", []) => {
                self.change(list, Vec::clear);
                Value::Null
            }
            _ => Value::Null,
        })
    }

    fn change<T>(&mut self, list: usize, change: impl FnOnce(&mut Vec<Value>) -> T) -> Option<T> {
        self.heap.items_mut(list).map(change)
    }

    fn place_of(&mut self, list: usize, wanted: &Value) -> Result<Option<usize>, Fault> {
        let mut at = 0;
        while let Some(item) = self.heap.items(list).get(at).cloned() {
            self.work(1)?;
            if self.equal(&item, wanted)? {
                return Ok(Some(at));
            }
            at += 1;
        }
        Ok(None)
    }

    fn call_map(&mut self, map: usize, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
        let length = self.heap.entries(map).len();
        self.work(length / 16)?;
        let key = match (name, arguments) {
            ("get" | "containsKey" | "remove" | "getOrDefault" | "put" | "putIfAbsent", [key, ..]) => {
                self.string(key)?
            }
            _ => Arc::from(""),
        };
        Ok(match (name, arguments) {
            ("size", []) => Value::count(length),
            ("isEmpty", []) => Value::Bool(length == 0),
            ("get", [_]) => self.heap.member(map, &key).cloned().unwrap_or(Value::Null),
            ("getOrDefault", [_, default]) => self.heap.member(map, &key).unwrap_or(default).clone(),
            ("containsKey", [_]) => Value::Bool(self.heap.member(map, &key).is_some()),
            ("keySet", []) => {
                self.work(length)?;
                let keys = self.heap.entries(map).iter().map(|(key, _)| Value::Text(key.clone())).collect();
                self.heap.list(keys, false)
            }
            ("values", []) => {
                self.work(length)?;
                let values = self.heap.entries(map).iter().map(|(_, value)| value.clone()).collect();
                self.heap.list(values, false)
            }
            ("entrySet", []) => self.entry_set(map)?,
            ("containsValue", [wanted]) => {
                let values = self.heap.entries(map).iter().map(|(_, value)| value.clone()).collect();
                let Value::List(values) = self.heap.list(values, false) else { return Ok(Value::Null) };
                Value::Bool(self.place_of(values, wanted)?.is_some())
            }
            // An entry of `entrySet()` is a map of its key and its value.
            ("getKey", []) => self.heap.member(map, "key").cloned().unwrap_or(Value::Null),
            ("getValue", []) => self.heap.member(map, "value").cloned().unwrap_or(Value::Null),
            _ => return self.change_map(map, key, name, arguments),
        })
    }

    /// The methods that change a map.
    fn change_map(&mut self, map: usize, key: Arc<str>, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
        Ok(match (name, arguments) {
            ("put", [_, value]) => self.heap.put(map, key, value.clone()),
            ("putIfAbsent", [_, value]) => match self.heap.member(map, &key) {
                Some(there) => there.clone(),
                None => self.heap.put(map, key, value.clone()),
            },
            ("putAll", [Value::Map(other)]) => {
                let added = self.heap.entries(*other).to_vec();
                for (key, value) in added {
                    self.work(1 + self.heap.entries(map).len() / 16)?;
                    self.heap.put(map, key, value);
                }
                Value::Null
            }
            ("remove", [_]) => {
                let entries = self.heap.entries_mut(map);
                let removed = entries.and_then(|entries| {
                    let at = entries.iter().position(|(name, _)| *name == key)?;
                    Some(entries.remove(at).1)
                });
                removed.unwrap_or(Value::Null)
            }
            ("clear", []) => {
                self.heap.entries_mut(map).map(Vec::clear);
                Value::Null
            }
            _ => Value::Null,
        })
    }

    fn entry_set(&mut self, map: usize) -> Result<Value, Fault> {
        let entries = self.heap.entries(map).to_vec();
        self.work(entries.len())?;
        let entries = entries
            .into_iter()
            .map(|(key, value)| self.heap.map(vec![(Arc::from("key"), Value::Text(key)), (Arc::from("value"), value)]));
        let entries = entries.collect();
        Ok(self.heap.list(entries, false))
    }
}
