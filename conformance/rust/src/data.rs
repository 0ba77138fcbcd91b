//! Batches that both sides know.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::Failure;

pub const LARGE_ROWS: i64 = 131_072;

pub fn numbers_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int32, true)]))
}

pub fn numbers(values: &[i32]) -> RecordBatch {
    RecordBatch::try_new(
        numbers_schema(),
        vec![Arc::new(Int32Array::from(values.to_vec()))],
    )
    .unwrap()
}

pub fn large_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]))
}

/// 1 MiB: the numbers that follow those of the batches before.
pub fn large(index: i64) -> RecordBatch {
    let values = Int64Array::from_iter_values(index * LARGE_ROWS..(index + 1) * LARGE_ROWS);
    RecordBatch::try_new(large_schema(), vec![Arc::new(values)]).unwrap()
}

pub fn words_schema() -> SchemaRef {
    let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    Arc::new(Schema::new(vec![Field::new("d", kind, true)]))
}

/// A dictionary column over words: which of them, by number.
pub fn words(words: &[&str], keys: &[i32]) -> RecordBatch {
    let values = Arc::new(StringArray::from(words.to_vec()));
    let column =
        DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys.to_vec()), values).unwrap();
    RecordBatch::try_new(words_schema(), vec![Arc::new(column)]).unwrap()
}

/// Texts of a column that is a dictionary of them.
pub fn texts(batch: &RecordBatch) -> Result<Vec<String>, Failure> {
    let column = batch
        .column(0)
        .as_any()
        .downcast_ref::<DictionaryArray<Int32Type>>()
        .ok_or("no dictionary")?;
    let values = column
        .values()
        .as_any()
        .downcast_ref::<StringArray>()
        .ok_or("no texts")?;
    Ok(column
        .keys()
        .iter()
        .map(|key| values.value(key.unwrap_or(0) as usize).to_owned())
        .collect())
}

/// Values of a column of 32-bit numbers.
pub fn ints(batch: &RecordBatch) -> Result<Vec<i32>, Failure> {
    let column = batch
        .column(0)
        .as_any()
        .downcast_ref::<Int32Array>()
        .ok_or("no numbers")?;
    Ok(column.values().to_vec())
}
