"""Files and columns of a data set in MLCommons Croissant 1.0 (JSON-LD).

https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

import json
from collections.abc import Mapping
from typing import Any

CONTEXT: Mapping[str, Any] = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs",
    "column": "cr:column", "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract",
    "field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key",
    "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "samplingRate": "cr:samplingRate", "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
"""The context of the specification, as it stands there."""
FIELDS: Mapping[str, str] = {
    "id": "sc:Text", "stage": "sc:Integer", "instruction": "sc:Text", "response": "sc:Text",
    "group": "sc:Text", "split": "sc:Text", "facet": "sc:Text",
}  # fmt: skip
"""The flat columns of a row -> their type."""


def croissant(
    repository: str, files: Mapping[str, tuple[int, str]], licences: list[str], version: str
) -> bytes:
    """`croissant.json` of the row files (name -> bytes and SHA-256) of the data sets.

    `version` is the release's content hash; `licences` are SPDX identifiers.
    """
    value = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": repository.rpartition("/")[2],
        "description": "Findings of security scanners and proven fixes as rows for training.",
        "license": [f"https://spdx.org/licenses/{name}" for name in licences],
        "version": f"1.0.0+{version}",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": name,
                "name": name,
                "contentUrl": name,
                "contentSize": f"{size} B",
                "encodingFormat": "application/jsonlines",
                "sha256": digest,
            }
            for name, (size, digest) in sorted(files.items())
        ],
        "recordSet": [_records(name) for name in sorted(files)],
    }
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _records(file: str) -> dict[str, Any]:
    name = file.removesuffix(".jsonl").replace("/", "_")
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "key": {"@id": f"{name}/id"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column}",
                "name": f"{name}/{column}",
                "dataType": kind,
                "source": {"fileObject": {"@id": file}, "extract": {"column": column}},
            }
            for column, kind in FIELDS.items()
        ],
    }
