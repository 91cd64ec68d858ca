"""Data sets with ground truth, read as annotations: `perception-reward annotations import FORMAT SOURCE OUT`.

    importer = IMPORTERS["clevr"]
    report = ImportReport()
    write_jsonl(out, import_annotations(importer, Path("CLEVR_val_scenes.json"), report))
    report.lines()

`model.py` says what an importer is; each of the others is one, in a file of its own, and `run.py` runs it.
"""
