-- Lists, structs, maps, JSON, UNNEST, PIVOT, UNPIVOT: over what changes.

-- unnest_list
SELECT seq, unnest(tags) AS tag FROM events

-- unnest_count
SELECT tag, count(*) AS n, count(DISTINCT k) AS ks FROM (SELECT k, unnest(tags) AS tag FROM events) GROUP BY tag

-- unnest_lateral
SELECT e.seq, t.tag FROM events e, LATERAL (SELECT unnest(e.tags) AS tag) t WHERE t.tag <> 'a'

-- unnest_two
SELECT seq, unnest(tags) AS tag, unnest([1, 2, 3]) AS i FROM events

-- unnest_struct
SELECT seq, unnest(pt) FROM events WHERE pt IS NOT NULL

-- unnest_range
SELECT seq, unnest(range(g)) AS i FROM events WHERE g < 5

-- unnest_join
SELECT u.seq, u.tag, o.seq AS oseq FROM (SELECT seq, unnest(tags) AS tag FROM events) u JOIN orders o ON o.k = u.tag AND o.n > 40

-- unnest_aggregated
SELECT k, unnest(list(v ORDER BY seq)) AS v FROM events GROUP BY k

-- list_functions
SELECT k, sum(len(tags)) AS tags, count(*) FILTER (WHERE list_contains(tags, 'a')) AS has_a, max(tags[1]) AS first_tag
FROM events GROUP BY k

-- list_lambda
SELECT g, list_sort(list(list_transform(tags, lambda t: upper(t)) ORDER BY seq)) AS upper_tags,
       sum(len(list_filter(tags, lambda t: t > 'a'))) AS n
FROM events GROUP BY g

-- list_reduce
SELECT k, list_sum(list_transform(list(v ORDER BY seq), lambda q: q * 2)) AS doubled FROM events WHERE v IS NOT NULL GROUP BY k

-- struct_fields
SELECT pt.a AS a, count(*) AS n, max(pt.b) AS b FROM events GROUP BY pt.a

-- struct_packed
SELECT {'k': k, 'g': g} AS key, count(*) AS n FROM events GROUP BY 1

-- struct_row_join
SELECT e.seq, o.seq AS oseq FROM (SELECT seq, {'i': id, 'g': g} AS s FROM events) e JOIN (SELECT seq, {'i': id, 'g': g} AS s FROM orders) o
ON e.s = o.s

-- map_built
SELECT k, map_from_entries(list((seq, v) ORDER BY seq)) AS m FROM (SELECT DISTINCT k, seq, v FROM events) GROUP BY k

-- json_extract
SELECT doc->>'$.kind' AS kind, count(*) AS n, sum((doc->>'$.n')::BIGINT) AS s FROM events GROUP BY 1

-- json_filter
SELECT k, count(*) AS n FROM events WHERE doc->>'$.kind' = 'x' AND CAST(doc->'$.n' AS BIGINT) > 2 GROUP BY k

-- json_list
SELECT kind, count(*) AS n FROM (SELECT unnest(CAST(doc->'$.list' AS BIGINT[])) AS kind FROM events) GROUP BY kind

-- json_built
SELECT g, json_group_array(q) AS q FROM (SELECT g, max(v) AS q FROM events GROUP BY g, b) GROUP BY g HAVING count(*) = 1

-- json_object_built
SELECT k, to_json({'n': count(*), 's': sum(v)}) AS j FROM events GROUP BY k

-- pivot
SELECT * FROM (PIVOT (SELECT k, g, v FROM events) ON g IN (0, 1, 2, 3) USING sum(v) AS s, count(*) AS n GROUP BY k)

-- pivot_statement
PIVOT events ON b IN (true, false) USING count(*) AS n, max(v) AS hi GROUP BY g

-- pivot_sql
SELECT * FROM (SELECT k, g, v FROM events) PIVOT (count(v) AS n FOR g IN (0, 1, 2) GROUP BY k)

-- unpivot
SELECT what, count(*) AS n, sum(value) AS s
FROM (SELECT seq, what, value FROM (SELECT seq, v, big // 1000 AS b FROM events) UNPIVOT (value FOR what IN (v, b))) GROUP BY what
