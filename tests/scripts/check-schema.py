#!/usr/bin/env python3
"""The JSON Schema of `bufpoolc schema` under a real validator: it is one, it accepts every contract of the tree and
refuses every bad one but those whose mistake structure cannot see, which are listed here. A list that is too long fails
too."""
import glob
import json
import os
import re
import subprocess
import sys

import jsonschema
import yaml

# Numbers, and single cases, that look right: what is wrong is a meaning, the file's bytes, or what is published.
UNSEEN = """
    e0202-no-fields e0202-library-alone e0206-library-id-zero 213
    105 106 110 209 302 303 304 305 306 307 310 312 320 321 322
    402 403 404 405 406 407 408 409 410 411 413 414 415 501 502 503 506 507 508 522
    601 602 603 604 605 606 607 608 701 702 703 704 705 706 707 708 709 710
"""


class Loader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: what is true is written true, octal numbers and dates are nothing special."""


def words(pattern, kind, first):
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + kind, re.compile("^(?:%s)$" % pattern), list(first))


Loader.yaml_implicit_resolvers = {}
words("true|false", "bool", "tf")
words("null|~|", "null", ["n", "~", ""])
words("[-+]?(0|[1-9][0-9]*)|0x[0-9a-fA-F]+", "int", "-+0123456789")
words(r"[-+]?[0-9]+(?:\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+", "float", "-+0123456789")


def construct_map(loader, node):
    """Keys are texts, whatever they look like."""
    loader.flatten_mapping(node)
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}


Loader.add_constructor("tag:yaml.org,2002:map", construct_map)


def load(path):
    with open(path, "rb") as file:
        return yaml.load(file.read().decode("utf-8"), Loader)


def complaint(validator, path):
    """Why the contract is refused, or None."""
    try:
        errors = validator.iter_errors(load(path))
        error = jsonschema.exceptions.best_match(errors)
        return None if error is None else "%s: %s" % ("/".join(map(str, error.absolute_path)), error.message)
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError, RecursionError) as error:
        return "not YAML: %s" % error


def main():
    compiler = sys.argv[1]
    schema = json.loads(subprocess.run([compiler, "schema"], check=True, stdout=subprocess.PIPE).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    good = ["contracts.yaml"] + glob.glob("tests/contracts/*.yaml")
    good += glob.glob("src/**/*.yaml", recursive=True) + glob.glob("examples/**/*.yaml", recursive=True)
    good += glob.glob("tests/bad/w*.yaml")
    failures = ["%s is refused: %s" % (path, why) for path in sorted(good) if (why := complaint(validator, path))]
    bad = sorted(glob.glob("tests/bad/e*.yaml"))
    accepted = [os.path.basename(path)[:-5] for path in bad if complaint(validator, path) is None]
    unseen = set(UNSEEN.split())
    used = {name if name in unseen else name[1:5].lstrip("0") for name in accepted}
    failures += ["%s is accepted" % name for name in accepted if name not in unseen and name[1:5].lstrip("0") not in unseen]
    failures += ["%s is listed as unseen, but is refused" % one for one in sorted(unseen - used)]
    for failure in failures:
        print("check-schema: " + failure, file=sys.stderr)
    if not failures:
        print("check-schema: %d good contracts are accepted, %d of %d bad ones refused by structure alone" %
              (len(good), len(bad) - len(accepted), len(bad)))
    return 1 if failures or not bad else 0


sys.exit(main())
