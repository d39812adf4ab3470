//! No two modules of a crate import each other, directly or in a ring.
//!
//! A module is a file. It imports the module in which an item that it names is defined, also by the
//! name of its own child, in the arguments of a macro, or all items at once: re-exports are looked
//! through, and are no imports themselves. The same holds for the modules at the root of a crate, each
//! with all that is in it.

mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use reader::{Module, Reader};

/// Crates and modules of which all that are in it may name the module itself, with the reason.
const ACCEPTED: [(&str, &str, &str); 1] = [(
    "scheduler",
    "schedules",
    "a schedule that holds schedules holds a `ScheduleConfig`, which holds each of them: a recursive \
     type, as the module's documentation says",
)];

/// A crate's modules: what they define, and the paths within the crate that they name.
#[derive(Default)]
struct Crate {
    defines: BTreeMap<Module, BTreeSet<String>>,
    names: BTreeMap<Module, Vec<Vec<String>>>,
    /// Paths that begin with a name: of a child, or of something from elsewhere.
    relative: BTreeMap<Module, Vec<Vec<String>>>,
    /// Modules of tests, which may import anything.
    tests: Vec<Module>,
}

impl Crate {
    fn read(source: &Path) -> Self {
        let mut all = Self::default();
        all.add(source, Vec::new());
        for (module, paths) in std::mem::take(&mut all.relative) {
            let inside = paths.into_iter().map(|path| [&module[..], &path].concat());
            let of_child = |path: &Vec<String>| all.defines.contains_key(&path[..=module.len()]);
            let of_children: Vec<Vec<String>> = inside.filter(of_child).collect();
            all.names.entry(module).or_default().extend(of_children);
        }
        let Self {
            defines,
            names,
            tests,
            ..
        } = &mut all;
        let is_test = |module: &Module| tests.iter().any(|test| module.starts_with(test));
        defines.retain(|module, _| !is_test(module));
        names.retain(|module, _| !is_test(module));
        all
    }

    fn add(&mut self, directory: &Path, module: Module) {
        let mut files: Vec<PathBuf> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        for path in files {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let inside = [&module[..], std::slice::from_ref(&name)].concat();
            if path.is_dir() {
                self.add(&path, inside);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let own = if ["lib", "mod"].contains(&name.as_str()) {
                    module.clone()
                } else {
                    inside
                };
                self.add_file(&path, own);
            }
        }
    }

    fn add_file(&mut self, path: &Path, module: Module) {
        let reader = Reader::read(path, module.clone());
        self.tests.extend(reader.tests);
        self.defines.insert(module.clone(), reader.defines);
        self.names.insert(module.clone(), reader.names);
        self.relative.insert(module, reader.relative);
    }

    /// The module in which what `path` names is defined, if it can be told.
    fn home(&self, path: &[String]) -> Option<&Module> {
        let depth = (0..=path.len())
            .rev()
            .find(|&depth| self.defines.contains_key(&path[..depth]))?;
        let (module, item) = (&path[..depth], path.get(depth));
        let (home, defined) = self.defines.get_key_value(module)?;
        let Some(item) = item else {
            return Some(home);
        };
        if defined.contains(item) {
            return Some(home);
        }
        // A re-export, usually of a module below.
        let defining = |(_, defined): &(&Module, &BTreeSet<String>)| defined.contains(item);
        let mut homes: Vec<&Module> = self
            .defines
            .iter()
            .filter(defining)
            .map(|(m, _)| m)
            .collect();
        if homes.iter().any(|home| home.starts_with(module)) {
            homes.retain(|home| home.starts_with(module));
        }
        match homes[..] {
            [home] => Some(home),
            _ => None,
        }
    }

    /// Which modules import which, `level` deep.
    fn imports(&self, level: usize) -> BTreeMap<Module, BTreeSet<Module>> {
        let cut = |module: &Module| module[..module.len().min(level)].to_vec();
        let mut imports: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (module, names) in &self.names {
            for home in names.iter().filter_map(|name| self.home(name)) {
                let (from, to) = (cut(module), cut(home));
                if from != to {
                    imports.entry(from).or_default().insert(to);
                }
            }
        }
        imports
    }
}

impl Crate {
    /// Forgets what the modules in `module` name of `module` itself.
    fn accept(&mut self, module: &str) {
        let module = vec![module.to_owned()];
        let homes: BTreeMap<Vec<String>, Option<Module>> = self
            .names
            .values()
            .flatten()
            .map(|name| (name.clone(), self.home(name).cloned()))
            .collect();
        for (of, names) in &mut self.names {
            if of.starts_with(&module) {
                names.retain(|name| homes[name].as_ref() != Some(&module));
            }
        }
    }

    /// A ring in words, with what each module names of the next.
    fn told(&self, ring: &[Module], level: usize) -> String {
        let cut = |module: &Module| module[..module.len().min(level)].to_vec();
        let step = |(number, from): (usize, &Module)| {
            let to = &ring[(number + 1) % ring.len()];
            let of = |(module, _): &(&Module, &Vec<Vec<String>>)| cut(module) == *from;
            let names = self.names.iter().filter(of).flat_map(|(_, names)| names);
            let goes = |name: &&Vec<String>| self.home(name).is_some_and(|home| cut(home) == *to);
            let names: Vec<String> = names.filter(goes).map(|name| name.join("::")).collect();
            format!("{} names {}", from.join("::"), names.join(", "))
        };
        let steps: Vec<String> = ring.iter().enumerate().map(step).collect();
        steps.join("; ")
    }
}

/// A ring of imports, if there is one.
fn ring(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Option<Vec<Module>> {
    fn walk(
        module: &Module,
        imports: &BTreeMap<Module, BTreeSet<Module>>,
        path: &mut Vec<Module>,
        done: &mut BTreeSet<Module>,
    ) -> Option<Vec<Module>> {
        if let Some(start) = path.iter().position(|earlier| earlier == module) {
            return Some(path[start..].to_vec());
        }
        if !done.insert(module.clone()) {
            return None;
        }
        path.push(module.clone());
        let found = imports
            .get(module)
            .into_iter()
            .flatten()
            .find_map(|next| walk(next, imports, path, done));
        path.pop();
        found
    }
    let mut done = BTreeSet::new();
    let mut path = Vec::new();
    imports
        .keys()
        .find_map(|module| walk(module, imports, &mut path, &mut done))
}

#[test]
fn no_two_modules_import_each_other() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let mut modules = 0;
    let mut rings = Vec::new();
    for entry in fs::read_dir(crates).unwrap() {
        let path = entry.unwrap().path();
        let source = path.join("src");
        let mut all = Crate::read(&source);
        for (name, module, _reason) in ACCEPTED {
            if path.ends_with(name) {
                assert!(
                    ring(&all.imports(usize::MAX)).is_some(),
                    "{name}::{module} need not be accepted any more"
                );
                all.accept(module);
            }
        }
        modules += all.defines.len();
        for level in [1, usize::MAX] {
            if let Some(ring) = ring(&all.imports(level)) {
                rings.push(format!("{}: {}", source.display(), all.told(&ring, level)));
            }
        }
    }
    assert!(rings.is_empty(), "{}", rings.join("\n"));
    assert!(modules > 100, "only {modules} modules were found");
}

#[test]
fn a_ring_is_found() {
    let module = |name: &str| vec![name.to_owned()];
    let imports = |pairs: &[(&str, &str)]| {
        let mut imports: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (from, to) in pairs {
            imports.entry(module(from)).or_default().insert(module(to));
        }
        imports
    };
    assert_eq!(ring(&imports(&[("a", "b"), ("b", "c"), ("a", "c")])), None);
    let found = ring(&imports(&[("a", "b"), ("b", "c"), ("c", "b")]));
    assert_eq!(found, Some(vec![module("b"), module("c")]));
}

/// The ring in the crate of these files, if there is one.
fn ring_of(files: &[(&str, &str)]) -> Option<Vec<Module>> {
    let source = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = source.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    ring(&Crate::read(source.path()).imports(usize::MAX))
}

#[test]
fn a_ring_is_found_however_it_is_written() {
    let child = "use super::Parent; pub struct Leaf(Parent);";
    let parents = [
        "mod child; use child::Leaf; pub struct Parent(Leaf);",
        "mod child; pub struct Parent(child::Leaf);",
        "mod child; use self::child::*; pub struct Parent(Leaf);",
        "mod child; pub struct Parent; fn f() { println!(\"{}\", child::Leaf::new(&[1])) }",
    ];
    for parent in parents {
        let found = ring_of(&[("a/mod.rs", parent), ("a/child.rs", child)]);
        assert!(found.is_some(), "{parent}");
    }
    let b = "use crate::a::A; pub struct B(A);";
    for a in [
        "use crate::b::*; pub struct A;",
        "pub struct A; fn f() -> String { format!(\"{}\", crate::b::B) }",
        "pub struct A; fn f() { vec![super::b::B] }",
    ] {
        assert!(ring_of(&[("a.rs", a), ("b.rs", b)]).is_some(), "{a}");
    }
    for a in [
        "pub struct A; fn f() { println!(\"crate::b::B\") }",
        "pub struct A; mod inner { use super::*; } fn f() { b::B::new() }",
        "pub struct A; #[cfg(test)] mod tests { use crate::b::*; }",
        "pub use crate::b::B; pub struct A;",
    ] {
        assert_eq!(ring_of(&[("a.rs", a), ("b.rs", b)]), None, "{a}");
    }
}
