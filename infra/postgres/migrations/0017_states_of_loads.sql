-- What a load or a retraction under way may still become.
SELECT;
