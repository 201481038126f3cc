// Everything: what a program includes that does not want to choose. Every header also stands alone.
#ifndef TANDEM_TANDEM_HPP
#define TANDEM_TANDEM_HPP

#include <tandem/as_completed.hpp>
#include <tandem/by_value.hpp>
#include <tandem/codec.hpp>
#include <tandem/config.hpp>
#include <tandem/error.hpp>
#include <tandem/executor.hpp>
#include <tandem/future.hpp>
#include <tandem/init.hpp>
#include <tandem/inline_executor.hpp>
#include <tandem/parallel_for.hpp>
#include <tandem/parallel_reduce.hpp>
#include <tandem/preload.hpp>
#include <tandem/process_pool.hpp>
#include <tandem/shared_buffer.hpp>
#include <tandem/task_group.hpp>
#include <tandem/task_options.hpp>
#include <tandem/tbb_pool.hpp>
#include <tandem/this_task.hpp>
#include <tandem/thread_pool.hpp>
#include <tandem/wait.hpp>
#include <tandem/when_all.hpp>
#include <tandem/when_any.hpp>
#include <tandem/worker_hook.hpp>
#include <tandem/worker_local.hpp>

#endif
