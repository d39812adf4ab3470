//! No two modules of a crate import each other, directly or in a ring.
//!
//! A module is a file. It imports the module in which an item that it names is defined: re-exports
//! are looked through, and are no imports themselves. The same holds for the modules at the root of
//! a crate, each with all that is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// A module by its path from the crate's root, which is empty.
type Module = Vec<String>;

/// A crate's modules: what they define, and the paths within the crate that they name.
#[derive(Default)]
struct Crate {
    defines: BTreeMap<Module, BTreeSet<String>>,
    names: BTreeMap<Module, Vec<Vec<String>>>,
    /// Modules of tests, which may import anything.
    tests: Vec<Module>,
}

impl Crate {
    fn read(source: &Path) -> Self {
        let mut all = Self::default();
        all.add(source, Vec::new());
        let Self {
            defines,
            names,
            tests,
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
        let text = fs::read_to_string(path).unwrap();
        let file = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut reader = Reader {
            module: module.clone(),
            defines: BTreeSet::new(),
            names: Vec::new(),
            tests: Vec::new(),
        };
        reader.visit_file(&file);
        self.tests.extend(reader.tests);
        self.defines.insert(module.clone(), reader.defines);
        self.names.insert(module, reader.names);
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

struct Reader {
    module: Module,
    defines: BTreeSet<String>,
    names: Vec<Vec<String>>,
    tests: Vec<Module>,
}

impl Reader {
    /// Notes a path that stays within the crate.
    fn note(&mut self, path: &[String]) {
        let base = match path.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self") => self.module.clone(),
            Some("super") => {
                let ups = path
                    .iter()
                    .take_while(|segment| *segment == "super")
                    .count();
                let depth = self.module.len().saturating_sub(ups);
                let rest = path[ups..].to_vec();
                self.names.push([&self.module[..depth], &rest[..]].concat());
                return;
            }
            _ => return,
        };
        self.names.push([&base[..], &path[1..]].concat());
    }

    fn note_tree(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.note_tree(&path.tree, &with(&path.ident)),
            syn::UseTree::Name(name) if name.ident == "self" => self.note(before),
            syn::UseTree::Name(name) => self.note(&with(&name.ident)),
            syn::UseTree::Rename(rename) => self.note(&with(&rename.ident)),
            syn::UseTree::Glob(_) => {}
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_tree(tree, before);
                }
            }
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    let test = |attribute: &syn::Attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list)
                if ["test", "doctest", "doc"].contains(&list.tokens.to_string().as_str()))
    };
    attributes.iter().any(test)
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let name = match item {
            syn::Item::Const(item) => Some(&item.ident),
            syn::Item::Enum(item) => Some(&item.ident),
            syn::Item::Fn(item) => Some(&item.sig.ident),
            syn::Item::Static(item) => Some(&item.ident),
            syn::Item::Struct(item) => Some(&item.ident),
            syn::Item::Trait(item) => Some(&item.ident),
            syn::Item::Type(item) => Some(&item.ident),
            syn::Item::Mod(item) if is_test(&item.attrs) => {
                let name = item.ident.to_string();
                self.tests.push([&self.module[..], &[name]].concat());
                return;
            }
            _ => None,
        };
        self.defines.extend(name.map(ToString::to_string));
        syn::visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if matches!(item.vis, syn::Visibility::Inherited) && !is_test(&item.attrs) {
            self.note_tree(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.note(&segments);
        syn::visit::visit_path(self, path);
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
        let source = entry.unwrap().path().join("src");
        let all = Crate::read(&source);
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
