-- What the cleanings and queries use that the engines spell differently.
CREATE OR REPLACE TEMPORARY FUNCTION pair(a DOUBLE, b DOUBLE) RETURNS ARRAY<DOUBLE> RETURN array(a, b);
