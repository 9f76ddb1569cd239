#!/usr/bin/env bash
# Prints the path of the shared libpython that belongs to the Python given: DuckDB's wheel needs its symbols
# when a C++ test opens it without Python. Fails when there is none.
exec "$1" - <<'PY'
import ctypes.util, pathlib, sys, sysconfig

version = "%d.%d" % sys.version_info[:2]
names = [sysconfig.get_config_var("INSTSONAME") or "", f"libpython{version}.so.1.0", f"libpython{version}.so"]
folders = [sysconfig.get_config_var("LIBDIR") or "", sysconfig.get_config_var("LIBPL") or ""]
folders += ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"]
for folder in map(pathlib.Path, filter(None, folders)):
    for name in filter(lambda n: ".so" in n, names):
        if (folder / name).exists():
            print(folder / name)
            sys.exit(0)
sys.exit(f"No shared libpython{version} was found.")
PY
