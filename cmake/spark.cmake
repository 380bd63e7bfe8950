# Spark Connect's protocol as the library spark_connect: generated from Spark's own .proto files, which
# `./dev setup` put into build/deps/spark-connect (see docs/dependencies.md), with gRPC and protobuf, all static:
# what a run does not use of it then costs neither start-up time nor memory (docs/decisions).
set(PINFLOW_SPARK_PROTO_DIR "${CMAKE_SOURCE_DIR}/build/deps/spark-connect" CACHE PATH "Spark Connect's .proto files")
if(NOT EXISTS ${PINFLOW_SPARK_PROTO_DIR}/spark/connect/base.proto)
  message(FATAL_ERROR "Spark Connect's protocol was not found in ${PINFLOW_SPARK_PROTO_DIR}. Run ./dev setup first.")
endif()

find_program(PROTOC protoc REQUIRED)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

set(spark_connect_names spark/connect/base spark/connect/catalog spark/connect/commands spark/connect/common
  spark/connect/expressions spark/connect/ml spark/connect/ml_common spark/connect/pipelines spark/connect/relations
  spark/connect/types google/rpc/status google/rpc/error_details)
# One folder for all build folders, so that ccache knows the files again.
set(spark_connect_out ${PINFLOW_SPARK_PROTO_DIR}/generated)
set(spark_connect_protos)
set(spark_connect_sources ${spark_connect_out}/spark/connect/base.grpc.pb.cc)
foreach(name IN LISTS spark_connect_names)
  list(APPEND spark_connect_protos ${PINFLOW_SPARK_PROTO_DIR}/${name}.proto)
  list(APPEND spark_connect_sources ${spark_connect_out}/${name}.pb.cc)
endforeach()
set(spark_connect_new ${CMAKE_BINARY_DIR}/spark-connect)
file(MAKE_DIRECTORY ${spark_connect_new} ${spark_connect_out})
# The lite runtime: no descriptors, which would be registered at each start of the program.
add_custom_command(
  OUTPUT ${spark_connect_sources}
  COMMAND ${PROTOC} -I ${PINFLOW_SPARK_PROTO_DIR} --cpp_out=lite:${spark_connect_new} ${spark_connect_protos}
  COMMAND ${PROTOC} -I ${PINFLOW_SPARK_PROTO_DIR} --grpc_out=${spark_connect_new}
    --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN} ${PINFLOW_SPARK_PROTO_DIR}/spark/connect/base.proto
  COMMAND ${CMAKE_COMMAND} -DFROM=${spark_connect_new} -DTO=${spark_connect_out}
    -P ${CMAKE_SOURCE_DIR}/cmake/copy_changed.cmake
  DEPENDS ${spark_connect_protos}
  COMMENT "Generating Spark Connect's protocol"
  VERBATIM)

pkg_check_modules(GRPCPP REQUIRED grpc++)
add_library(spark_connect STATIC ${spark_connect_sources})
target_include_directories(spark_connect SYSTEM PUBLIC ${spark_connect_out})
# Generated: its warnings are not ours. -O1 halves the time of -O2; next to the network it does not matter.
target_compile_options(spark_connect PRIVATE -w -O1 -g0)
set_target_properties(spark_connect PROPERTIES CXX_STANDARD 17 EXPORT_COMPILE_COMMANDS OFF)

# pkg-config's list, each library by its archive; OpenSSL and zlib stay shared, as everywhere in the program.
find_library(PROTOBUF_LITE libprotobuf.a REQUIRED)
set(spark_connect_archives ${PROTOBUF_LITE})
set(names ${GRPCPP_STATIC_LIBRARIES})
list(REMOVE_DUPLICATES names)
list(REMOVE_ITEM names ssl crypto z dl rt atomic pthread)
foreach(name IN LISTS names)
  find_library(GRPC_ARCHIVE_${name} lib${name}.a REQUIRED)
  list(APPEND spark_connect_archives ${GRPC_ARCHIVE_${name}})
endforeach()
target_link_libraries(spark_connect PUBLIC -Wl,--start-group ${spark_connect_archives} -Wl,--end-group
  OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB Threads::Threads ${CMAKE_DL_LIBS})
