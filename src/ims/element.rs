//! One record of a file as a small tree: what a reader of any order of elements and attributes needs.
//!
//! Names lose their prefix and case, so that `<ims:SourcedId>` is a `sourcedid`. All text of a record stands in
//! one buffer that the next record uses again.

use std::ops::Range;

/// A record. Node 0 is the record's own element.
#[derive(Debug, Default)]
pub struct Tree {
    text: String,
    nodes: Vec<Node>,
    attributes: Vec<(Range<usize>, Range<usize>)>,
    open: Vec<usize>,
}

#[derive(Debug)]
struct Node {
    name: Range<usize>,
    attributes: Range<usize>,
    text: Range<usize>,
    /// The first node behind this one and all within it; beyond all where it is still open.
    end: usize,
    line: u64,
}

/// An element of a record.
#[derive(Clone, Copy, Debug)]
pub struct Element<'t> {
    tree: &'t Tree,
    index: usize,
}

impl Tree {
    /// Forgets what it held.
    pub fn clear(&mut self) {
        self.text.clear();
        self.nodes.clear();
        self.attributes.clear();
        self.open.clear();
    }

    /// How many bytes it holds, so that a record that never ends can be given up.
    pub fn size(&self) -> usize {
        self.text.len() + self.nodes.len() * size_of::<Node>()
    }

    /// How many elements are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Begins an element; its attributes follow.
    pub fn open(&mut self, name: &str, line: u64) {
        let name = self.keep_name(name);
        let start = self.text.len();
        self.open.push(self.nodes.len());
        self.nodes.push(Node {
            name,
            attributes: self.attributes.len()..self.attributes.len(),
            text: start..start,
            end: usize::MAX,
            line,
        });
    }

    /// Adds an attribute to the element that was begun last.
    pub fn attribute(&mut self, name: &str, value: &str) {
        let Some(node) = self.nodes.last() else {
            return;
        };
        let had_text = !node.text.is_empty();
        debug_assert!(!had_text, "attributes come before text");
        let name = self.keep_name(name);
        let value = self.keep(value);
        self.attributes.push((name, value));
        let (attributes, text) = (self.attributes.len(), self.text.len());
        if let Some(node) = self.nodes.last_mut() {
            node.attributes.end = attributes;
            node.text = text..text;
        }
    }

    /// Adds text to the element that is open. Text behind an element within it is no value of any field, and is left
    /// out.
    pub fn push_text(&mut self, text: &str) {
        let last = self.nodes.len().wrapping_sub(1);
        if self.open.last() != Some(&last) {
            return;
        }
        self.text.push_str(text);
        let end = self.text.len();
        if let Some(node) = self.nodes.last_mut() {
            node.text.end = end;
        }
    }

    /// Ends the element that is open.
    pub fn close(&mut self) {
        let end = self.nodes.len();
        if let Some(index) = self.open.pop()
            && let Some(node) = self.nodes.get_mut(index)
        {
            node.end = end;
        }
    }

    /// How many elements would have to end for `name` to end: 1 where it is the one that is open, `None` where it is
    /// not open at all.
    pub fn levels_to(&self, name: &str) -> Option<usize> {
        let name = local(name);
        let is_it = |index: &usize| {
            let node = &self.nodes[*index];
            self.text[node.name.clone()].eq_ignore_ascii_case(name)
        };
        self.open
            .iter()
            .rev()
            .position(is_it)
            .map(|level| level + 1)
    }

    /// The record.
    pub fn root(&self) -> Option<Element<'_>> {
        (!self.nodes.is_empty()).then_some(Element {
            tree: self,
            index: 0,
        })
    }

    fn keep(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }

    fn keep_name(&mut self, name: &str) -> Range<usize> {
        let kept = self.keep(local(name));
        self.text[kept.clone()].make_ascii_lowercase();
        kept
    }
}

/// A name without its prefix.
pub fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

impl<'t> Element<'t> {
    fn node(self) -> &'t Node {
        &self.tree.nodes[self.index]
    }

    /// Its name, in small letters.
    pub fn name(self) -> &'t str {
        &self.tree.text[self.node().name.clone()]
    }

    /// The line it begins on.
    pub fn line(self) -> u64 {
        self.node().line
    }

    /// The text in it, without blanks around.
    pub fn text(self) -> &'t str {
        self.tree.text[self.node().text.clone()].trim()
    }

    /// An attribute, without blanks around.
    pub fn attribute(self, name: &str) -> Option<&'t str> {
        let text = &self.tree.text;
        self.tree.attributes[self.node().attributes.clone()]
            .iter()
            .find(|(key, _)| &text[key.clone()] == name)
            .map(|(_, value)| text[value.clone()].trim())
    }

    /// The elements right in it.
    pub fn children(self) -> impl Iterator<Item = Element<'t>> {
        let tree = self.tree;
        let end = self.node().end.min(tree.nodes.len());
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            (next < end).then(|| {
                let child = Element { tree, index: next };
                next = child.node().end.max(next + 1);
                child
            })
        })
    }

    /// The elements of that name right in it.
    pub fn all(self, name: &'t str) -> impl Iterator<Item = Element<'t>> {
        self.children().filter(move |child| child.name() == name)
    }

    /// The first of them.
    pub fn first(self, name: &str) -> Option<Element<'t>> {
        self.children().find(|child| child.name() == name)
    }

    /// The text of the first, where there is any.
    pub fn value(self, name: &str) -> Option<&'t str> {
        self.first(name)
            .map(Element::text)
            .filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_whatever_their_order_case_and_prefix() {
        let mut tree = Tree::default();
        tree.open("ims:Person", 3);
        tree.attribute("RecStatus", " 2 ");
        tree.push_text("\n  ");
        tree.open("userid", 4);
        tree.attribute("useridtype", "Logon");
        tree.push_text(" kim ");
        tree.push_text("b ");
        tree.close();
        tree.push_text("stray");
        tree.open("USERID", 5);
        tree.close();
        tree.close();
        let person = tree.root().unwrap();
        assert_eq!(
            (person.name(), person.line(), person.text()),
            ("person", 3, "")
        );
        assert_eq!(person.attribute("recstatus"), Some("2"));
        let texts: Vec<_> = person.all("userid").map(Element::text).collect();
        assert_eq!(texts, ["kim b", ""]);
        let first = person.first("userid").unwrap();
        assert_eq!(first.attribute("useridtype"), Some("Logon"));
        assert_eq!(person.value("email"), None);
    }

    #[test]
    fn a_tree_that_is_used_again_holds_nothing_of_before() {
        let mut tree = Tree::default();
        tree.open("person", 1);
        tree.close();
        tree.clear();
        assert!(tree.root().is_none());
        assert_eq!((tree.size(), tree.depth()), (0, 0));
    }
}
