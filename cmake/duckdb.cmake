# DuckDB as the imported target DuckDB::duckdb.
#
# A DuckDB that the system has (duckdb.h and libduckdb.so) wins; else the static libraries that
# `./dev setup` put into build/deps/duckdb (see docs/dependencies.md). It is never built from source.
set(PINFLOW_DUCKDB_DIR "${CMAKE_SOURCE_DIR}/build/deps/duckdb" CACHE PATH "duckdb.h and DuckDB's static libraries")

add_library(DuckDB::duckdb INTERFACE IMPORTED)
find_path(DUCKDB_SYSTEM_INCLUDE duckdb.h NO_CACHE)
find_library(DUCKDB_SYSTEM_LIBRARY duckdb NO_CACHE)
if(DUCKDB_SYSTEM_INCLUDE AND DUCKDB_SYSTEM_LIBRARY)
  target_include_directories(DuckDB::duckdb SYSTEM INTERFACE ${DUCKDB_SYSTEM_INCLUDE})
  target_link_libraries(DuckDB::duckdb INTERFACE ${DUCKDB_SYSTEM_LIBRARY})
elseif(EXISTS ${PINFLOW_DUCKDB_DIR}/duckdb.h)
  file(GLOB libraries ${PINFLOW_DUCKDB_DIR}/lib*.a)
  target_include_directories(DuckDB::duckdb SYSTEM INTERFACE ${PINFLOW_DUCKDB_DIR})
  target_link_libraries(DuckDB::duckdb INTERFACE
    -Wl,--start-group ${libraries} -Wl,--end-group ${CMAKE_DL_LIBS} Threads::Threads)
else()
  message(FATAL_ERROR "DuckDB was not found in ${PINFLOW_DUCKDB_DIR}. Run ./dev setup first.")
endif()
