"""Terraform JSON, out. Others use `export`, and `assemble` where they need to know which record an address comes from."""

from prov_gen.export.terraform.assembly import FILE, assemble, export

__all__ = ["FILE", "assemble", "export"]
