//! What is on the disk.

use std::collections::BTreeMap;
use std::path::Path;

/// Everything in a directory: files with their content, directories without.
pub fn tree(directory: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path.clone());
            }
            let content = path.is_file().then(|| std::fs::read(&path).unwrap());
            let name = path.strip_prefix(directory).unwrap();
            found.insert(name.display().to_string(), content);
        }
    }
    found
}
