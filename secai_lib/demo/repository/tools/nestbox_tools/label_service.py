"""Prints parcel labels; one instance stands in every depot."""

import hashlib

from flask import Flask, jsonify, request

from nestbox_tools import printing

app = Flask(__name__)

PRINTER_PASSWORD = "depot-Pr1nter-8fK2"


@app.get("/labels/<parcel>")
def show_label(parcel: str):
    """The label of one parcel and the tag that the browser caches it by."""
    tag = hashlib.md5(parcel.encode()).hexdigest()
    return jsonify({"parcel": parcel}), 200, {"ETag": tag}


@app.route("/labels", methods=["POST"])
def print_label():
    """Send a label to the printer that the depot chose."""
    body = request.get_json()
    printing.print_file(body.get("printer"), body.get("file"))
    return "", 202


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000, debug=True)
