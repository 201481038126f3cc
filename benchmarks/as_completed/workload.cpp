#include "as_completed/workload.hpp"

#include "bench/subprocess.hpp"
#include "bench/workloads.hpp"

bench::workload bench::as_completed(const conditions& c) {
  using namespace ::as_completed;
  workload work{.name = "as_completed",
                .title = "100,000 empty tasks, their futures taken as they finish (Python: 10,000)",
                .metrics = {{"submit and collect", "ns per future"}},
                .contestants = {{"tandem as_completed", [c] { return run_tandem(c); }},
                                {"tandem get in order", [c] { return run_tandem_in_order(c); }}},
                .reference = "tandem as_completed"};
  if (is_installed("python3"))
    work.contestants.push_back({"Python concurrent.futures", [c] { return run_python(c); }});
  return work;
}
