# SPDX-License-Identifier: Apache-2.0
# The lines of many rounds as a table: for each bench, payload and variant the median over the
# rounds of its figure, its probe and its ratio. With csv=1: the points of bench peers, as
# support/points.h reads them, under the given heading.
#
# Lines that were not clean are left out. A line is far where its run's best placement was 2.5
# times the best of all rounds; near and far lines are never mixed.

# The flat object of a line, in value[].
function read_line(line,    rest, key)
{
    delete value
    rest = substr(line, 2)
    while (match(rest, /^"[^"]*":/)) {
        key = substr(rest, 2, RLENGTH - 3)
        rest = substr(rest, RLENGTH + 1)
        match(rest, /^("[^"]*"|[^,}]*)/)
        value[key] = substr(rest, 1, RLENGTH)
        gsub(/"/, "", value[key])
        rest = substr(rest, RLENGTH + 2)
    }
}

# What tells this line from others of its bench and size.
function variant(    i, text)
{
    text = ""
    for (i = 1; i <= variants; i++)
        if (variant_keys[i] in value)
            text = text (text == "" ? "" : ", ") variant_words[i] value[variant_keys[i]]
    if (value["oversubscribed"] == "true")
        text = text ", oversubscribed"
    return text
}

function first_of(names,    list, count, i)
{
    count = split(names, list, " ")
    for (i = 1; i <= count; i++)
        if (list[i] in value)
            return list[i]
    return ""
}

# One number of a group: sample[group, what, 1 ...].
function keep(group, what, number)
{
    sample[group, what, ++samples[group, what]] = number + 0
}

function sort_samples(group, what,    count, i, k, number)
{
    count = samples[group, what]
    for (i = 2; i <= count; i++) {
        number = sample[group, what, i]
        for (k = i - 1; k >= 1 && sample[group, what, k] > number; k--)
            sample[group, what, k + 1] = sample[group, what, k]
        sample[group, what, k + 1] = number
    }
}

function quantile(group, what, share)
{
    return sample[group, what, int(share * (samples[group, what] - 1) + 0.5) + 1]
}

# The middle half as a share of the median. Sorts.
function spread(group, what,    median)
{
    sort_samples(group, what)
    median = quantile(group, what, 0.5)
    return median == 0 ? 0 : (quantile(group, what, 0.75) - quantile(group, what, 0.25)) / median
}

function number(group, what)
{
    if (samples[group, what] == 0)
        return ""
    sort_samples(group, what)
    return readable(quantile(group, what, 0.5))
}

function readable(x)
{
    if (x >= 1000000)
        return sprintf("%.2f M", x / 1000000)
    if (x >= 10000)
        return sprintf("%.0f", x)
    return x >= 100 ? sprintf("%.1f", x) : sprintf("%.3g", x)
}

# Points of the picture: ours, the peer's, the probe's, each once a round.
function keep_point(name, figure, is_rate,    point, seen)
{
    if (!(figure in value))
        return
    seen = value["round"] SUBSEP name SUBSEP value["payload_bytes"] SUBSEP is_rate
    if (seen in seen_points)
        return
    seen_points[seen] = 1
    point = name "," value["payload_bytes"] "," (is_rate ? "bytes_per_s" : "round_trip_ns")
    if (!(point in is_point)) {
        is_point[point] = 1
        points[++point_count] = point
    }
    keep(point, place, value[figure] * (is_rate ? value["payload_bytes"] : 1))
}

function keep_points()
{
    if (value["bench"] == "peers-handoff" && value["layer"] == 1) {
        keep_point("framed", "p50_ns", 0)
        keep_point(value["peer"], "peer_ns", 0)
        keep_point(value["probe"], "probe_ns", 0)
    } else if (value["bench"] == "peers-throughput" && value["layer"] == 1) {
        keep_point("framed", "msgs_per_s", 1)
        keep_point(value["peer"], "peer_per_s", 1)
        keep_point(value["probe"], "probe_per_s", 1)
    }
}

function keep_line(    group, figure)
{
    place = value["near_ns"] > 2.5 * near ? "far" : "near"
    if (csv) {
        keep_points()
        return
    }
    group = value["bench"] " | " value["layer"] " | " value["payload_bytes"] " | " variant() \
        " | " place
    if (!(group in is_group)) {
        is_group[group] = 1
        groups[++group_count] = group
    }
    figure = first_of("p50_ns msgs_per_s send_ns publish_ns attach_ns bytes_per_s")
    keep(group, "figure", value[figure])
    if (figure == "bytes_per_s" || figure == "msgs_per_s")
        keep(group, "probe", value["probe_per_s"])
    else
        keep(group, "probe", value["probe_ns"])
    keep(group, "ratio", value["ratio"])
    figure = first_of("peer_ns peer_per_s bare_ns bare_per_s read_ns receive_ns stamped_ns")
    other[group] = first_of("ratio_peer ratio_bare ratio_below ratio_plain")
    if (figure != "")
        keep(group, "other", value[figure])
    if (other[group] != "")
        keep(group, "ratio_other", value[other[group]])
    probe[group] = value["probe"]
}

function print_table(    i, group)
{
    print "| bench | layer | payload | | CPUs | rounds | figure | probe | its figure | ratio" \
        " | spread | other figure | its ratio | spread |"
    print "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for (i = 1; i <= group_count; i++) {
        group = groups[i]
        printf "| %s | %d | %s | %s | %s | %s | %.3f | %s | %s | %s |\n", group,
            samples[group, "ratio"], number(group, "figure"), probe[group],
            number(group, "probe"), number(group, "ratio"), spread(group, "ratio"),
            number(group, "other"), number(group, "ratio_other"),
            samples[group, "ratio_other"] ? sprintf("%.3f", spread(group, "ratio_other")) : ""
    }
}

# Near ones, where any were near.
function print_points(    i, which)
{
    print heading
    print "subject,payload_bytes,unit,median,spread,clean"
    for (i = 1; i <= point_count; i++) {
        which = samples[points[i], "near"] ? "near" : "far"
        sort_samples(points[i], which)
        printf "%s,%.1f,%.3f,yes\n", points[i], quantile(points[i], which, 0.5),
            spread(points[i], which)
    }
}

BEGIN {
    variants = split("peer consumers readers options lanes daemon call subject end waiting joined" \
        " producers batch", variant_keys, " ")
    split("|readers |readers |||||||||producers |batch ", variant_words, "|")
}

# Twice over the lines: the best placement is known at the end only.
{
    lines[NR] = $0
    read_line($0)
    if (value["near_ns"] > 0 && (near == 0 || value["near_ns"] + 0 < near))
        near = value["near_ns"] + 0
}

END {
    for (i = 1; i <= NR; i++) {
        read_line(lines[i])
        if (value["clean"] == "true")
            keep_line()
        else
            dirty++
    }
    if (csv)
        print_points()
    else
        print_table()
    if (dirty)
        printf "%d of %d lines were not clean and are left out\n", dirty, NR > "/dev/stderr"
}
