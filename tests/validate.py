# validate.py SCHEMA FILE...: print "FILE: ok", or "FILE: PATH: why not", of YAML files by a JSON Schema.
import re
import sys

import jsonschema
import json
import yaml


class Loader(yaml.SafeLoader):
    """YAML 1.2's core schema, as pxr and editors read it."""


Loader.yaml_implicit_resolvers = {}
for tag, first, pattern in (
    ("bool", "tTfF", "true|True|TRUE|false|False|FALSE"),
    ("null", ["~", "n", "N", ""], "~|null|Null|NULL|"),
    ("int", "-+0123456789", "[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    ("float", "-+.0123456789", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"),
    ("merge", "<", "<<"),
):
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile("^(" + pattern + ")$"), list(first))

schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
for path in sys.argv[2:]:
    value = yaml.load(open(path), Loader)
    error = jsonschema.exceptions.best_match(validator.iter_errors(value))
    where = ".".join(str(key) for key in error.absolute_path) if error else ""
    print("%s: %s" % (path, "%s: %s" % (where, error.message) if error else "ok"))
