import pytest

from nn.datasets import TableError, read_csv


def written(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_quotes_and_lines(tmp_path, delimiter):
    text = 'name,"size, in m"\r\n"Ann ""A"" Lee", 1.5\r\n\r\n"two\nlines",2\r\nü,3\r\n'
    table = read_csv(written(tmp_path, "\ufeff" + text.replace(",", delimiter)))
    assert table.columns == ("name", f"size{delimiter} in m")
    assert table.column("name") == ['Ann "A" Lee', "two\nlines", "ü"]
    assert table.column(table.columns[1]) == ["1.5", "2", "3"]
    assert table.lines == [2, 4, 6]
    assert table.where([0]) == "line 2"
    assert table.where([0, 1, 2, 0, 1, 2]) == "lines 2, 4, 6, 2, 4 and 1 more"


def test_one_column(tmp_path):
    assert read_csv(written(tmp_path, "x\n1\n2\n")).column("x") == ["1", "2"]


BAD = {
    "": "is empty",
    "\n\n": "is empty",
    "a,b\n": "has a header and no rows",
    "a,,c\n1,2,3\n": "column 2 has no name",
    "a,b,a\n1,2,3\n": "several columns have the name a",
    "1,2\n3,4\n": "it must have the columns' names",
    "a,b\n1,2\n3\n4,5,6\n": "line 3 has 1 cells, and the header 2 (and 1 more lines",
    'a,b\n1,"2\n3,4\n': "line 2",
    'a,b\n1,"2"3\n': "line 2",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_table(tmp_path, text):
    with pytest.raises(TableError) as raised:
        read_csv(written(tmp_path, text))
    assert BAD[text] in str(raised.value)
    assert "table.csv" in str(raised.value)


def test_a_column_that_is_not_there(tmp_path):
    with pytest.raises(TableError, match="no column 'c'; there are a, b"):
        read_csv(written(tmp_path, "a,b\n1,2\n")).column("c")
