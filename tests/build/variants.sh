# options: --build-arg VARIANT=full
echo c >common
echo s >slim
echo f >full
