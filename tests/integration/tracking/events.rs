//! Reads TensorBoard's files as TensorBoard does, checksums included.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A scalar's steps and values by its tag.
pub type Curves = BTreeMap<String, Vec<(u64, f32)>>;

/// A field of a message: its number, and what it holds.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The curves in `directory`, where a restart makes later steps of the files before void.
pub fn curves(directory: &Path) -> Curves {
    let mut curves = Curves::new();
    for path in files(directory) {
        let bytes = std::fs::read(path).unwrap();
        for event in records(&bytes) {
            let fields = fields(event);
            let step = number(&fields, 2);
            if bytes_of(&fields, 7).is_some() {
                for curve in curves.values_mut() {
                    curve.retain(|&(earlier, _)| earlier < step);
                }
            }
            let Some(summary) = bytes_of(&fields, 5) else {
                continue;
            };
            let value = self::fields(bytes_of(&self::fields(summary), 1).unwrap());
            let tag = String::from_utf8(bytes_of(&value, 1).unwrap().to_vec()).unwrap();
            if value.iter().any(|(field, _)| *field == 2) {
                let value = f32::from_bits(number(&value, 2) as u32);
                curves.entry(tag).or_default().push((step, value));
            }
        }
    }
    curves
}

/// All hyperparameters' names that the directory's sessions begin with.
pub fn hyperparameters(directory: &Path) -> String {
    let bytes: Vec<u8> = files(directory)
        .iter()
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

pub fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

/// The records of a file, up to one that is cut off.
fn records(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(12) {
        let length = u64::from_le_bytes(head[..8].try_into().unwrap());
        assert_eq!(head[8..], masked(&head[..8]));
        let Some((record, rest)) = rest.split_at_checked(length as usize) else {
            break;
        };
        let Some((sum, rest)) = rest.split_at_checked(4) else {
            break;
        };
        assert_eq!(sum, masked(record));
        records.push(record);
        bytes = rest;
    }
    records
}

/// The masked CRC-32C, bit by bit.
fn masked(bytes: &[u8]) -> [u8; 4] {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 * (crc & 1));
        }
    }
    let crc = !crc;
    let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
    masked.to_le_bytes()
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Value<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let mut take = |length: usize| {
            let (taken, rest) = bytes.split_at(length);
            bytes = rest;
            taken
        };
        let value = match key & 7 {
            0 => Value::Number(varint(&mut bytes)),
            1 => Value::Number(u64::from_le_bytes(take(8).try_into().unwrap())),
            5 => Value::Number(u32::from_le_bytes(take(4).try_into().unwrap()).into()),
            _ => {
                let length = varint(&mut bytes) as usize;
                let (taken, rest) = bytes.split_at(length);
                bytes = rest;
                Value::Bytes(taken)
            }
        };
        fields.push((key >> 3, value));
    }
    fields
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    let mut shift = 0;
    while let Some((&byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn number(fields: &[(u64, Value<'_>)], wanted: u64) -> u64 {
    let found = fields.iter().find(|(field, _)| *field == wanted);
    match found {
        Some((_, Value::Number(number))) => *number,
        _ => 0,
    }
}

fn bytes_of<'a>(fields: &[(u64, Value<'a>)], wanted: u64) -> Option<&'a [u8]> {
    let found = fields.iter().find(|(field, _)| *field == wanted);
    match found {
        Some((_, Value::Bytes(bytes))) => Some(bytes),
        _ => None,
    }
}
