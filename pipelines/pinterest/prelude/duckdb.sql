-- What the cleanings and queries use that the engines spell differently.
CREATE OR REPLACE MACRO pair(a, b) AS [CAST(a AS DOUBLE), CAST(b AS DOUBLE)];
