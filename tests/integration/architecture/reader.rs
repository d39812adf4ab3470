//! What a source file defines and names.

use std::collections::BTreeSet;
use std::path::Path;

use syn::visit::Visit;

/// A module by its path from the crate's root, which is empty.
pub type Module = Vec<String>;

/// What is in the file of a module.
pub struct Reader {
    /// With the modules inside the file that are being read.
    module: Module,
    /// The items that it defines.
    pub defines: BTreeSet<String>,
    /// The paths within the crate that it names.
    pub names: Vec<Vec<String>>,
    /// Paths that begin with a name: of a child, or of something from elsewhere.
    pub relative: Vec<Vec<String>>,
    /// The modules of tests that it declares.
    pub tests: Vec<Module>,
}

impl Reader {
    pub fn read(path: &Path, module: Module) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let file = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut reader = Self {
            module,
            defines: BTreeSet::new(),
            names: Vec::new(),
            relative: Vec::new(),
            tests: Vec::new(),
        };
        reader.visit_file(&file);
        reader
    }

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
            Some(_) if path.len() > 1 => {
                self.relative.push(path.to_vec());
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
            syn::UseTree::Glob(_) => self.note(before),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_tree(tree, before);
                }
            }
        }
    }
}

/// The tokens of a macro, as words.
fn words(tokens: &str) -> Vec<String> {
    // A text may hold anything.
    let code = tokens.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let code = code.replace("::", " :: ");
    let between = |c: char| c.is_whitespace() || "()[]{}<>,;!&$".contains(c);
    let words = code.split(between).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// The paths in the tokens of a macro.
fn paths(words: &[String]) -> Vec<Vec<String>> {
    let mut paths: Vec<Vec<String>> = vec![Vec::new()];
    let mut goes_on = true;
    for word in words {
        match paths.last_mut() {
            _ if word == "::" => goes_on = true,
            Some(path) if goes_on => {
                path.push(word.clone());
                goes_on = false;
            }
            _ => paths.push(vec![word.clone()]),
        }
    }
    paths
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
            syn::Item::Mod(item) if item.content.is_some() => {
                self.module.push(item.ident.to_string());
                syn::visit::visit_item_mod(self, item);
                self.module.pop();
                return;
            }
            syn::Item::Macro(item) if item.mac.path.is_ident("macro_rules") => {
                // What it will define, where that has a name.
                let words = words(&item.mac.tokens.to_string());
                let defined = words.windows(2).filter(|pair| {
                    ["enum", "fn", "struct", "trait", "type"].contains(&pair[0].as_str())
                });
                self.defines.extend(defined.map(|pair| pair[1].clone()));
                None
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

    /// `pub(super)` names a module, but nothing in it.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        for path in paths(&words(&item.tokens.to_string())) {
            self.note(&path);
        }
        syn::visit::visit_macro(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.note(&segments);
        syn::visit::visit_path(self, path);
    }
}
