"""No module of the library needs itself: imports, also those inside functions, lead one way."""

from graphlib import CycleError, TopologicalSorter

import grimp

# `make_tuner` stands beside the protocol that both tuners implement.


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("automl", exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        raise AssertionError(" <- ".join(error.args[1])) from None
