"""ms-swift's plugin, in a folder of its own: ms-swift puts that folder in front of all others where modules are looked
for, and beside the other adapters it would find `trl.py` where it wants TRL."""
