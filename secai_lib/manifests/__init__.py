"""How a repository comes to use a package: read from its lockfiles, which are never run."""

from secai_lib.manifests.use import PackageUse, Scope, package_use

__all__ = ["PackageUse", "Scope", "package_use"]
