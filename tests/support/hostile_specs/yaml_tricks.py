"""YAML that could mean something else than it seems to: references, tags, keys, several documents, size and depth."""

from __future__ import annotations

from hostile_specs.case import Hostile, spec

_ANCHOR = "anchors and aliases are not allowed"
_TAG = r"tags \('!…'\) are not allowed"
_TWICE = "occurs twice"
_DEEP = "expected at most 32 nested levels"
_LARGE = "expected at most 256 KiB"
_MANY = "expected at most 5000 keys and values"
_MEGABYTES = 10_000_000

_LAUGHS = "a0: &a0 [lol]\n" + "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(9))

REFERENCES = [
    Hostile("anchor", "name a value for later use", spec(name="&n hostile"), _ANCHOR),
    Hostile("anchor-unused", "hide an anchor on a list", spec(forget="&all [device == old]"), _ANCHOR),
    Hostile("alias", "say a value by reference", spec(name="*n"), _ANCHOR),
    Hostile("alias-as-key", "say a key by reference", spec() + "*k : 1\n", _ANCHOR),
    Hostile("billion-laughs", "fill the memory with nine lines", spec() + _LAUGHS, _ANCHOR),
    Hostile("alias-cycle", "a list that holds itself", spec(forget="&a [*a]"), _ANCHOR),
    Hostile("merge-alias", "take keys over from elsewhere", "b: &b {scope: patient}\n" + spec() + "<<: *b\n", _ANCHOR),
    Hostile("merge-inline", "take keys over from a mapping", spec() + "<<: {scope: patient}\n", "merge keys"),
    Hostile("merge-quoted", "a merge key in quotes", spec() + "'<<': {scope: patient}\n", "merge keys"),
    Hostile("merge-list", "take keys over from two mappings", spec() + "<<: [{scope: study}]\n", "merge keys"),
]

KEYS = [
    Hostile("duplicate-forget", "show one rule, run another", spec() + "forget: exists(device)\n", _TWICE),
    Hostile("duplicate-quoted", "the same key in quotes", spec() + "'forget': exists(device)\n", _TWICE),
    Hostile("duplicate-escaped", "the same key by escapes", spec() + '"\\x66orget": exists(device)\n', _TWICE),
    Hostile("duplicate-nested", "a bound that is lifted", spec(expect="{images: {max: 5, max: 500}}"), _TWICE),
    Hostile("duplicate-complex", "the same key with a question mark", spec() + "? forget\n: exists(device)\n", _TWICE),
    Hostile("key-number", "a key that is a number", spec() + "1: x\n", "a key must be text"),
    Hostile("key-bool", "a key that is a truth value", spec() + "true: x\n", "a key must be text"),
    Hostile("key-null", "a key that is nothing", spec() + "null: x\n", "a key must be text"),
    Hostile("key-empty", "a key without a name", spec() + ": x\n", "not valid YAML here"),
    Hostile("key-fraction", "a key that is a fraction", spec() + "1.5: x\n", "a key must be text"),
    Hostile("key-list", "a key that cannot be looked up", spec() + "[forget]: x\n", "a key must be text"),
    Hostile("key-mapping", "a key that is a mapping", spec() + "? {forget: x}\n: x\n", "a key must be text"),
    Hostile("key-template", "Jinja, which YAML reads as mappings", spec(name="{{ name }}"), "a key must be text"),
    Hostile("key-on", "YAML 1.1's truth value as a key", spec() + "on: push\n", "unknown key 'on'"),
    Hostile("key-long", "a key of 100,000 characters", spec() + f"? {'k' * 100_000}\n: x\n", "unknown key 'kkk"),
    Hostile("key-long-line", "a key too long for a line", spec() + f"{'k' * 100_000}: x\n", "not valid YAML here"),
]

_TAGGED = {
    "apply": "!!python/object/apply:os.system ['touch /tmp/owned']",
    "new": "!!python/object/new:subprocess.Popen [['id']]",
    "name": "!!python/name:os.system",
    "module": "!!python/module:os",
    "tuple": "!!python/tuple [device == old]",
    "ruby": "!ruby/object:Gem::Installer {i: x}",
    "java": "!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[!!java.net.URL ['http://127.0.0.1/']]]]",
    "javascript": "!!js/function 'function () { return 1 }'",
    "binary": "!!binary ZGV2aWNlID09IG9sZA==",
    "set": "!!set {device == old}",
    "ordered": "!!omap [forget: device == old]",
    "text": "!!str device == old",
    "float": "!!float 1",
    "time": "!!timestamp 2019-01-01",
    "nothing": "!!null ''",
    "include": "!include /etc/passwd",
    "environment": "!ENV ${HOME}",
    "reference": "!reference [name]",
    "unspecific": "! device == old",
    "verbatim": "!<tag:yaml.org,2002:str> device == old",
}
TAGS = [
    *(
        Hostile(f"tag-{name}", f"have the loader build it: {text.split()[0]}", spec(forget=text), _TAG)
        for name, text in _TAGGED.items()
    ),
    Hostile("tag-document", "a tag on the whole", "!!python/dict\n" + spec(), _TAG),
    Hostile("tag-key", "a tag on a key", spec() + "!!str scope: image\n", _TAG),
]

DOCUMENTS = [
    Hostile("directive-version", "choose another YAML", "%YAML 1.1\n---\n" + spec(), "directives"),
    Hostile(
        "directive-tag", "give a tag another name", "%TAG ! tag:yaml.org,2002:python/\n---\n" + spec(), "directives"
    ),
    Hostile("directive-unknown", "a directive of one's own", "%INCLUDE /etc/passwd\n---\n" + spec(), "directives"),
    Hostile("two-documents", "a second spec behind the first", spec() + "---\n" + spec(), "expected a single document"),
    Hostile("document-after-end", "a spec behind the end", spec() + "...\n" + spec(), "document"),
    Hostile("empty", "nothing at all", "", "got an empty document"),
    Hostile("only-comments", "a spec of comments", "# forget: device == old\n", "got an empty document"),
    Hostile("only-marker", "a document without content", "---\n", "got an empty document"),
    Hostile("only-null", "null", "null\n", "got an empty document"),
    Hostile("list-document", "a list of specs", "- " + spec().replace("\n", "\n  ").rstrip(), "got a list"),
    Hostile("text-document", "a predicate alone", "device == old\n", "got a single value"),
    Hostile("number-document", "a number", "42\n", "got a single value"),
    Hostile("json-lines", "two JSON documents", '{"name": "a"}\n{"name": "b"}\n', "not valid YAML here"),
    Hostile("unclosed-quote", "a value without an end", spec(name="'hostile"), "not valid YAML here"),
    Hostile("unclosed-list", "a list without an end", spec(forget="[device == old"), "not valid YAML here"),
    Hostile("tab-indent", "a tab that looks like spaces", "sample:\n\tcount: 1\n" + spec(), "not valid YAML here"),
    Hostile("percent-value", "a format string", spec(name="%(name)s"), "not valid YAML here"),
    Hostile("backquote-value", "a shell's backquotes", spec(forget="`id`"), "not valid YAML here"),
]


def _block(depth: int) -> str:
    return spec(forget=None) + "forget:\n" + "".join(f"{' ' * (n + 1)}all:\n" for n in range(depth))


SIZE = [
    Hostile("10-mb-comment", "a comment of 10 MB", lambda: "#" * _MEGABYTES, _LARGE, line=False),
    Hostile("10-mb-spaces", "10 MB of nothing", lambda: spec() + " " * _MEGABYTES, _LARGE, line=False),
    Hostile("10-mb-lines", "10 million lines", lambda: spec() + "\n" * _MEGABYTES, _LARGE, line=False),
    Hostile(
        "10-mb-predicate", "10 MB of rule", lambda: spec(forget=f"device == {'x' * _MEGABYTES}"), _LARGE, line=False
    ),
    Hostile("10-mb-list", "two million rules", lambda: spec(forget="[" + "a,\n" * 2_000_000 + "]"), _LARGE, line=False),
    Hostile(
        "10-mb-keys", "a million keys", lambda: "".join(f"k{n}: 1\n" for n in range(1_000_000)), _LARGE, line=False
    ),
    Hostile("10-mb-brackets", "ten million levels", lambda: "[" * _MEGABYTES, _LARGE, line=False),
    Hostile("10-mb-zeros", "10 MB of zero bytes", lambda: bytes(_MEGABYTES), _LARGE, line=False),
    Hostile("10-000-values", "a long list of rules", lambda: spec(forget=f"[{'a == 1, ' * 10_000}]"), _MANY),
    Hostile("10-000-keys", "a long list of keys", lambda: spec() + "".join(f"k{n}: 1\n" for n in range(10_000)), _MANY),
    Hostile("100-000-commas", "a list of nothing", lambda: spec(forget="[" + "a," * 100_000 + "]"), _MANY),
    Hostile(
        "2-000-unknown-keys", "2,000 faults", lambda: spec() + "".join(f"k{n}: 1\n" for n in range(2000)), "unknown key"
    ),
    Hostile("4-000-faults", "4,000 faults in one list", lambda: spec(forget=f"[{'devise = 1, ' * 4_000}]"), "write =="),
    Hostile("4-000-nulls", "4,000 rules that are nothing", lambda: spec(forget=f"[{'~, ' * 4_000}]"), "has no value"),
    Hostile("10-000-documents", "many documents", lambda: "---\n" * 10_000, "expected a single document"),
]

DEPTH = [
    Hostile("deep-lists", "10,000 lists in one another", "[" * 10_000 + "]" * 10_000, _DEEP),
    Hostile("deep-open-lists", "10,000 lists that never end", "[" * 10_000, _DEEP),
    Hostile("deep-mappings", "10,000 mappings in one another", "{a: " * 10_000, _DEEP),
    Hostile("deep-block-lists", "10,000 lists by dashes", "- " * 10_000 + "a", _DEEP),
    Hostile("deep-keys", "10,000 keys in one another", "? " * 10_000, _DEEP),
    Hostile("deep-block-mappings", "500 mappings by indentation", _block(500), _DEEP),
    Hostile("deep-forget", "a condition 10,000 deep", spec(forget="[" * 10_000 + "]" * 10_000), _DEEP),
    Hostile("deep-not", "not, 5,000 times", spec(forget="{not: " * 5_000 + "device == old" + "}" * 5_000), _DEEP),
    Hostile(
        "wide-and-deep", "thousands of deep lists", spec(forget="[" + ("[" * 29 + "]" * 29 + ",") * 4_000 + "]"), _MANY
    ),
]

YAML_TRICKS = [*REFERENCES, *KEYS, *TAGS, *DOCUMENTS, *SIZE, *DEPTH]
